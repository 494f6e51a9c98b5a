//! Everybody gets the answer to their own request.

use std::time::Duration;

use crate::laws::{
    HostKind,
    bench::{Answered, Finding, Lab, When, answer, chain, finish, spawn},
    exchange::Exchange,
    task::PATIENCE,
};

pub(super) async fn check<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    one_by_one(lab).await?;
    all_at_once(lab).await.when("calls at once")
}

async fn one_by_one<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    let service = bench.service();
    for number in 1..=3 {
        is_own(finish::<X>(&service, number).await?, number)?;
        carried::<X>(&bench.script.take_requests(), number)?;
    }
    Ok(())
}

/// Later calls are answered earlier.
async fn all_at_once<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    bench.always(|request| answer::<X>(request).after(Duration::from_millis(100 - 10 * X::number(request))));
    let service = bench.service();
    let mut calls: Vec<_> = (1..=4).map(|number| spawn::<X>(&service, number)).collect();
    for (call, number) in calls.iter_mut().zip(1..) {
        is_own(call.within(PATIENCE).await?, number)?;
    }
    match bench.script.tally().in_flight {
        // The mock cannot tell that its caller is gone, so a hedge's loser may still run.
        in_flight if in_flight > 0 && lab.host != HostKind::Mock => {
            Err(format!("{in_flight} calls ran on after all were answered"))
        }
        _ => Ok(()),
    }
}

fn carried<X: Exchange>(requests: &[X::Request], number: u64) -> Finding {
    match requests.iter().map(X::number).find(|seen| *seen != number) {
        Some(seen) => Err(format!("request {number} reached the inner service as {seen}")),
        None => Ok(()),
    }
}

fn is_own(answered: Answered, number: u64) -> Finding {
    match answered {
        Ok(answer) if answer == number => Ok(()),
        Ok(answer) => Err(format!("request {number} was answered with response {answer}")),
        Err(error) => Err(format!("request {number} was answered with an error: {}", chain(&error))),
    }
}
