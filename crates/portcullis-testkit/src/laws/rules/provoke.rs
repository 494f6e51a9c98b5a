//! Traffic that makes retries retry, hedges hedge and queues queue.

use std::time::Duration;

use tower::ServiceExt;
use tower_service::Service;

use crate::laws::{
    bench::{Answered, Bench, Finding, Lab, answer, fail, spawn},
    exchange::Exchange,
    subject::Subjected,
    task::{PATIENCE, Task},
};

/// Long enough for a hedge.
pub(super) const SLOW: Duration = Duration::from_millis(500);

/// How the inner service behaves in one experiment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mood {
    Prompt,
    /// Pending for a while, readiness as well as calls.
    Yielding,
    /// The first two calls fail.
    Failing,
    /// Every call takes [`SLOW`].
    Slow,
}

impl Mood {
    pub(super) const ALL: [Self; 4] = [Self::Prompt, Self::Yielding, Self::Failing, Self::Slow];
}

/// Sets the inner service's mood.
fn set<X: Exchange>(bench: &Bench<X>, mood: Mood) {
    match mood {
        Mood::Prompt => {}
        Mood::Yielding => {
            bench.script.ready_yields(2);
            bench.always(|request| answer::<X>(request).yields(3));
        }
        Mood::Failing => {
            let mut failures = 2;
            bench.script.otherwise(move |request| match failures {
                0 => answer::<X>(request),
                _ => {
                    failures -= 1;
                    fail::<X>(request)
                }
            });
        }
        Mood::Slow => bench.always(|request| answer::<X>(request).after(SLOW)),
    }
}

/// Three calls one after the other on one service, then three at once on clones of it. Answers are
/// not judged here, but they must come.
///
/// The service is given back, so that what it still holds is seen.
pub(super) async fn drive<X: Exchange>(
    lab: &Lab<'_, X>,
    mood: Mood,
) -> Result<(Bench<X>, Subjected<X>), String> {
    let bench = lab.bench();
    set(&bench, mood);
    let service = in_turn::<X>(bench.service()).await?;
    at_once::<X>(&service).await?;
    Ok((bench, service))
}

async fn in_turn<X: Exchange>(mut service: Subjected<X>) -> Result<Subjected<X>, String> {
    let mut task = Task::spawn(async move {
        for number in 1..=3 {
            // A readiness error is an answer too.
            if service.ready().await.is_ok() {
                let _: Answered = service.call(X::request(number)).await;
            }
        }
        service
    });
    task.within(PATIENCE).await
}

async fn at_once<X: Exchange>(service: &Subjected<X>) -> Finding {
    let mut tasks: Vec<_> = (4..=6).map(|number| spawn::<X>(service, number)).collect();
    for task in &mut tasks {
        let _: Answered = task.within(PATIENCE).await?;
    }
    Ok(())
}
