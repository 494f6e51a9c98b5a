//! Inner errors come through.

use crate::{
    laws::{
        Marked,
        bench::{Answered, Finding, Lab, When, chain, finish},
        exchange::Exchange,
    },
    script::Step,
};

pub(super) async fn check<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    of_a_call(lab).await.when("the inner call failed")?;
    of_readiness(lab).await.when("the inner readiness failed")
}

async fn of_a_call<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    bench.always(|_| Step::err(X::error(Marked(7))));
    is_marked(finish::<X>(&bench.service(), 1).await?, Marked(7))
}

async fn of_readiness<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    bench.script.fail_readiness(|| X::error(Marked(8)));
    is_marked(finish::<X>(&bench.service(), 1).await?, Marked(8))
}

fn is_marked(answered: Answered, marked: Marked) -> Finding {
    match answered {
        Ok(number) => Err(format!("the caller got response {number} and no error")),
        Err(error) => match Marked::find(&*error) {
            Some(found) if found == marked => Ok(()),
            Some(found) => Err(format!("the caller got another error: {found}, not {marked}")),
            None => Err(format!("the error is not among the sources of the caller's: {}", chain(&error))),
        },
    }
}
