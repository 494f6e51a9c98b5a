//! Readiness is asked of the instance that is called, once per call.

use super::provoke::{self, Mood, SLOW};
use crate::{
    laws::{
        bench::{Answered, Finding, Lab, answer, fail, finish},
        exchange::Exchange,
    },
    script::Misuse,
};

pub(super) async fn same_instance<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    none(lab, |misuse| matches!(misuse, Misuse::NeverReady { .. })).await
}

pub(super) async fn fresh_readiness<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    none(lab, |misuse| matches!(misuse, Misuse::NotReadyAgain { .. })).await?;
    enough_attempts(lab).await
}

/// Without further attempts the law above is kept by having no occasion to break it.
async fn enough_attempts<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let (failing, slow) = (lab.bench(), lab.bench());
    failing.always(|request| fail::<X>(request));
    slow.always(|request| answer::<X>(request).after(SLOW));
    let mut attempts = 0;
    for bench in [failing, slow] {
        // Whether it succeeds is not the point.
        let _: Answered = finish::<X>(&bench.service(), 1).await?;
        attempts = attempts.max(bench.script.tally().calls);
    }
    match lab.laws.attempts {
        claimed if attempts < claimed => Err(format!("{attempts} attempts were made, not {claimed}")),
        _ => Ok(()),
    }
}

async fn none<X: Exchange>(lab: &Lab<'_, X>, is_it: impl Fn(&Misuse) -> bool) -> Finding {
    for mood in Mood::ALL {
        let (bench, _service) = provoke::drive(lab, mood).await?;
        if let Some(misuse) = bench.script.tally().misuses.into_iter().find(|misuse| is_it(misuse)) {
            return Err(format!("{misuse} (the inner service was {mood:?})"));
        }
    }
    Ok(())
}
