//! Waiting is done by a registered waker.

use std::{future::Future, task::Context, time::Duration};

use futures_util::task::noop_waker_ref;
use tower::ServiceExt;

use crate::laws::{
    bench::{Answered, Bench, Finding, Lab, When, answer, spawn},
    exchange::Exchange,
    task::{Task, settle},
};

/// A call that waits is polled when it starts and when something happened: not this often.
const TOO_MANY_POLLS: usize = 10;

/// Within this time after the inner service can go on, the call must have.
const PROMPT: Duration = Duration::from_millis(500);

pub(super) async fn check<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    on_the_answer(lab).await.when("a call waited for the inner service's answer")?;
    on_readiness(lab).await.when("a call waited for the inner service's readiness")?;
    on_another_call(lab).await.when("a call waited for another call to end")
}

async fn on_the_answer<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    bench.always(|request| answer::<X>(request).held());
    let mut task = moved_call(&bench);
    wait(&task, lab.waiting()).await?;
    bench.script.release_all();
    woken(&mut task).await
}

async fn on_readiness<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    bench.script.close();
    let mut task = moved_call(&bench);
    wait(&task, lab.waiting()).await?;
    bench.script.open();
    woken(&mut task).await
}

async fn on_another_call<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    bench.script.push(answer::<X>(&X::request(1)).held());
    let service = bench.service();
    let mut first = spawn::<X>(&service, 1);
    settle().await;
    let mut second = spawn::<X>(&service, 2);
    if bench.permits.is_some() && !bench.misused() {
        wait(&second, lab.waiting()).await?;
    }
    bench.script.release_all();
    woken(&mut first).await?;
    woken(&mut second).await
}

/// A call that is polled by one task first and then by another, whose waker is the one that counts.
fn moved_call<X: Exchange>(bench: &Bench<X>) -> Task<Answered> {
    let mut call = Box::pin(bench.service().oneshot(X::request(1)));
    // Pending, as the inner service is: what else it says is seen by the task.
    let polled = call.as_mut().poll(&mut Context::from_waker(noop_waker_ref()));
    match polled {
        std::task::Poll::Ready(answered) => Task::spawn(std::future::ready(answered)),
        std::task::Poll::Pending => Task::spawn(call),
    }
}

async fn wait(task: &Task<Answered>, waiting: Duration) -> Finding {
    tokio::time::sleep(waiting).await;
    let polls = task.polls();
    if task.is_finished() {
        return Err(format!("it did not wait {waiting:?}, but answered by itself"));
    }
    if polls >= TOO_MANY_POLLS {
        return Err(format!("it was polled {polls} times or more in {waiting:?}, with nothing to do"));
    }
    Ok(())
}

async fn woken(task: &mut Task<Answered>) -> Finding {
    match task.within(PROMPT).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("it failed when it could go on: {error}")),
        Err(detail) => Err(format!("it was not woken when it could go on: {detail}")),
    }
}
