//! Dropping a call at each await point.

use std::{future::Future, pin::Pin, task::Context};

use futures_util::task::noop_waker_ref;
use tower::ServiceExt;
use tower_service::Service;

use crate::{
    laws::{
        bench::{Answered, Bench, Finding, Lab, When, answer, chain, spawn, succeed},
        exchange::Exchange,
        subject::Subjected,
        task::{PATIENCE, Task, settle},
    },
    script::Step,
};

/// More polls than a call of the inner service below has await points, with some to spare for the
/// layer's and the host's own.
const POLLS: usize = 12;

type Pending = Pin<Box<dyn Future<Output = Answered> + Send>>;

pub(super) async fn check<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    for polls in 0..=POLLS {
        for held in [false, true] {
            whole_call(lab, polls, held).await.when(&format!("a call was dropped after {polls} polls"))?;
            after_readiness(lab, polls, held)
                .await
                .when(&format!("a response future was dropped after {polls} polls"))?;
        }
    }
    for polls in 0..=3 {
        for turn in [Turn::NotYet, Turn::Come] {
            in_a_queue(lab, polls, turn)
                .await
                .when(&format!("a call that waited was dropped after {polls} polls, its turn {turn:?}"))?;
        }
    }
    Ok(())
}

/// When a call that waits for another is dropped.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Turn {
    NotYet,
    /// The other has ended, and the wake-up is on its way.
    Come,
}

/// The inner service is pending twice before it is ready and three times before it answers, and, if
/// held, never does.
fn yielding<X: Exchange>(lab: &Lab<'_, X>, held: bool) -> Bench<X> {
    let bench = lab.bench();
    bench.script.ready_yields(2);
    let step = |held, step: Step<_, _>| if held { step.held() } else { step };
    bench.always(move |request| step(held, answer::<X>(request).yields(3)));
    bench
}

async fn whole_call<X: Exchange>(lab: &Lab<'_, X>, polls: usize, held: bool) -> Finding {
    let bench = yielding(lab, held);
    let service = bench.service();
    let call: Pending = Box::pin(service.clone().oneshot(X::request(1)));
    match poll_and_drop(call, polls).await {
        Some(_) => Ok(()),
        None => recovered(&bench, service).await,
    }
}

async fn after_readiness<X: Exchange>(lab: &Lab<'_, X>, polls: usize, held: bool) -> Finding {
    let bench = yielding(lab, held);
    let (service, response) = ready_call::<X>(bench.service()).await?;
    match poll_and_drop(response, polls).await {
        Some(_) => Ok(()),
        None => recovered(&bench, service).await,
    }
}

async fn ready_call<X: Exchange>(mut service: Subjected<X>) -> Result<(Subjected<X>, Pending), String> {
    let mut task = Task::spawn(async move {
        let ready = service.ready().await.map(|_| ());
        ready.map(|()| {
            let response: Pending = Box::pin(service.call(X::request(1)));
            (service, response)
        })
    });
    task.within(PATIENCE).await?.map_err(|error| format!("readiness failed: {error}"))
}

/// Polls so many times, and then drops the call, unless it was answered before.
async fn poll_and_drop(mut call: Pending, polls: usize) -> Option<Answered> {
    for _ in 0..polls {
        let answered = poll_once(&mut call);
        if answered.is_some() {
            return answered;
        }
        settle().await;
    }
    None
}

fn poll_once(call: &mut Pending) -> Option<Answered> {
    match call.as_mut().poll(&mut Context::from_waker(noop_waker_ref())) {
        std::task::Poll::Ready(answered) => Some(answered),
        std::task::Poll::Pending => None,
    }
}

async fn recovered<X: Exchange>(bench: &Bench<X>, service: Subjected<X>) -> Finding {
    settle().await;
    // A layer that calls the wrong instance leaves the right one ready: that is another law's.
    let service = if bench.misused() {
        drop(service);
        bench.service()
    } else {
        service
    };
    bench.released()?;
    bench.script.ready_yields(0);
    bench.always(|request| answer::<X>(request));
    succeed::<X>(&service, 2).await.when("the next call on a clone")?;
    drop(service);
    succeed::<X>(&bench.service(), 3).await.when("the next call on a new service")
}

/// One call runs, a second waits and is dropped, and a third must get the second's turn.
async fn in_a_queue<X: Exchange>(lab: &Lab<'_, X>, polls: usize, turn: Turn) -> Finding {
    let bench = lab.bench();
    bench.script.push(answer::<X>(&X::request(1)).held());
    let service = bench.service();
    let mut first = spawn::<X>(&service, 1);
    settle().await;
    let mut second: Pending = Box::pin(service.clone().oneshot(X::request(2)));
    for _ in 0..polls {
        if poll_once(&mut second).is_some() {
            // Nothing to wait for.
            return Ok(());
        }
        settle().await;
    }
    let mut third = spawn::<X>(&service, 3);
    settle().await;
    let second = Some(second).filter(|_| turn == Turn::Come);
    bench.script.release_all();
    answered(&mut first).await.when("the first call")?;
    settle().await;
    drop(second);
    answered(&mut third).await.when("the next in the queue")
}

async fn answered(call: &mut Task<Answered>) -> Finding {
    call.within(PATIENCE).await?.map(|_| ()).map_err(|error| chain(&error))
}
