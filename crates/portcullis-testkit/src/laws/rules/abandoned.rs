//! Readiness that nobody uses, as when a caller loses a `select!` between `ready` and `call`.

use tower::ServiceExt;

use crate::laws::{
    bench::{Bench, Finding, Lab, When, chain, spawn, succeed},
    exchange::Exchange,
    subject::Subjected,
    task::{PATIENCE, Task, settle},
};

pub(super) async fn check<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    for yields in [0, 2] {
        ready_and_dropped(lab, yields).await.when("an instance was polled ready and dropped")?;
    }
    waiting_and_dropped(lab).await.when("an instance was dropped while it waited to be ready")?;
    passed_on(lab).await.when("an instance was polled ready and dropped while another waited")
}

async fn ready_and_dropped<X: Exchange>(lab: &Lab<'_, X>, yields: u32) -> Finding {
    let bench = lab.bench();
    bench.script.ready_yields(yields);
    // Once for each caller the layer lets in, and more.
    for _ in 0..32 {
        drop(ready::<X>(bench.service()).await?);
    }
    recovered(&bench).await
}

async fn waiting_and_dropped<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    bench.script.close();
    for _ in 0..3 {
        let service = bench.service();
        let waiting = Task::spawn(async move { service.ready_oneshot().await.map(|_| ()) });
        settle().await;
        drop(waiting);
    }
    bench.script.open();
    recovered(&bench).await
}

async fn passed_on<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    let service = bench.service();
    let ready = ready::<X>(service.clone()).await?;
    let mut other = spawn::<X>(&service, 1);
    settle().await;
    drop(ready);
    other.within(PATIENCE).await.when("the other call")?.map_err(|error| chain(&error))?;
    bench.released()
}

async fn ready<X: Exchange>(service: Subjected<X>) -> Result<Subjected<X>, String> {
    let mut task = Task::spawn(service.ready_oneshot());
    task.within(PATIENCE).await?.map_err(|error| format!("readiness failed: {}", chain(&error)))
}

async fn recovered<X: Exchange>(bench: &Bench<X>) -> Finding {
    settle().await;
    bench.released()?;
    bench.script.ready_yields(0);
    succeed::<X>(&bench.service(), 2).await.when("the next call")
}
