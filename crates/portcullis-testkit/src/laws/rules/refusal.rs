//! A refusal is `call`'s to give.

use tower::{BoxError, ServiceExt};
use tower_service::Service;

use crate::laws::{
    Marked,
    bench::{Answered, Finding, Lab, When, answer, chain, fail},
    exchange::Exchange,
    subject::Subjected,
    task::{PATIENCE, Task},
};

/// Enough failures to open a breaker, and enough calls at once to fill a queue, in most tests'
/// configurations.
const CALLS: u64 = 64;

pub(super) async fn check<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    after_failures(lab).await.when("the inner service failed all calls")?;
    in_a_flood(lab).await.when("many calls came at once")
}

async fn after_failures<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    bench.always(|request| fail::<X>(request));
    let service = bench.service();
    for number in 1..=CALLS {
        judge(attempt::<X>(&service, number).within(PATIENCE).await?)?;
    }
    Ok(())
}

async fn in_a_flood<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    bench.always(|request| answer::<X>(request).held());
    let service = bench.service();
    let calls: Vec<_> = (1..=CALLS).map(|number| attempt::<X>(&service, number)).collect();
    tokio::time::sleep(lab.waiting()).await;
    for mut call in calls.into_iter().filter(Task::is_finished) {
        judge(call.within(PATIENCE).await?)?;
    }
    Ok(())
}

/// A call, of which only the error of its readiness is told.
fn attempt<X: Exchange>(service: &Subjected<X>, number: u64) -> Task<Result<(), BoxError>> {
    let mut service = service.clone();
    Task::spawn(async move {
        service.ready().await?;
        let _: Answered = service.call(X::request(number)).await;
        Ok(())
    })
}

fn judge(readiness: Result<(), BoxError>) -> Finding {
    match readiness {
        // The inner service's own error is passed on, not invented.
        Err(error) if Marked::find(&*error).is_none() => {
            Err(format!("poll_ready refused: {}", chain(&error)))
        }
        _ => Ok(()),
    }
}
