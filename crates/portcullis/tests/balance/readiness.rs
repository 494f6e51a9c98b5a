//! A balancer is ready when somebody is.

use std::{pin::pin, task::Poll};

use portcullis::{Balance, PolicyKind, Rejection};
use tokio_test::{assert_pending, task};
use tower::{Service, ServiceExt};

use super::support::{Host, Readiness, calls, fleet, is_ejected, ms, outliers, secs};

type Fleet = Balance<Host>;

fn poll_ready(balance: &mut Fleet, cx: &mut std::task::Context<'_>) -> Poll<bool> {
    Service::<()>::poll_ready(balance, cx).map(|result| result.is_ok())
}

#[tokio::test(start_paused = true)]
async fn a_hung_endpoint_holds_up_nobody() {
    let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 3);
    hosts[0].readiness(Readiness::Never);
    hosts[1].readiness(Readiness::Never);
    let answers = calls(&mut Balance::new(endpoints), 50).await;
    assert!(answers.iter().all(|answer| *answer == Some(2)), "{answers:?}");
}

/// By any of them, and without polling in between.
#[tokio::test(start_paused = true)]
async fn one_that_gets_ready_wakes_who_waits() {
    for last in 0..3 {
        let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 3);
        hosts.iter().for_each(|host| host.readiness(Readiness::Never));
        let mut balance = Balance::new(endpoints);
        let mut task = task::spawn(());
        assert_pending!(task.enter(|cx, _| poll_ready(&mut balance, cx)));
        tokio::time::sleep(secs(1)).await;
        assert!(!task.is_woken());
        hosts[last].readiness(Readiness::Ready);
        assert!(task.is_woken());
        assert_eq!(task.enter(|cx, _| poll_ready(&mut balance, cx)), Poll::Ready(true));
        assert_eq!(Service::call(&mut balance, ()).await.unwrap(), last);
    }
}

/// What it waited for is given up: it may hold a place in a queue.
#[tokio::test(start_paused = true)]
async fn those_that_were_not_ready_are_given_up() {
    let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 3);
    hosts.iter().for_each(|host| host.readiness(Readiness::Never));
    let mut balance = Balance::new(endpoints);
    let mut task = task::spawn(());
    assert_pending!(task.enter(|cx, _| poll_ready(&mut balance, cx)));
    assert!(hosts.iter().all(|host| host.instances() == 3), "ours, the set's, the balancer's");
    hosts[1].readiness(Readiness::Ready);
    assert!(task.enter(|cx, _| poll_ready(&mut balance, cx)).is_ready());
    assert_eq!(hosts.each(Host::instances), [2, 3, 2]);
}

trait Each {
    fn each<R>(&self, f: impl Fn(&Host) -> R) -> Vec<R>;
}

impl Each for Vec<Host> {
    fn each<R>(&self, f: impl Fn(&Host) -> R) -> Vec<R> {
        self.iter().map(f).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_readiness_counts_and_the_next_is_asked() {
    let outliers = outliers().build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 2);
    hosts[0].readiness(Readiness::Fails);
    let answers = calls(&mut Balance::new(endpoints.clone()), 50).await;
    assert!(answers.iter().all(|answer| *answer == Some(1)));
    assert!(is_ejected(&outliers, "0") && hosts[0].ready_polls() == 5, "{}", hosts[0].ready_polls());
}

#[tokio::test(start_paused = true)]
async fn errors_of_all_are_an_error() {
    let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 2);
    hosts.iter().for_each(|host| host.readiness(Readiness::Fails));
    let mut balance = Balance::new(endpoints);
    assert_eq!(ServiceExt::<()>::ready(&mut balance).await.unwrap_err().to_string(), "not ready");
    hosts[1].readiness(Readiness::Ready);
    assert_eq!(calls(&mut balance, 1).await, [Some(1)]);
}

#[tokio::test(start_paused = true)]
async fn with_no_endpoint_calls_are_refused() {
    let (_, endpoints) = fleet(&outliers().build().unwrap(), 0);
    let error = Balance::new(endpoints.clone()).oneshot(()).await.unwrap_err();
    let rejection = error.downcast_ref::<Rejection>().unwrap();
    assert_eq!((rejection.kind(), rejection.reason().as_str()), (PolicyKind::Balance, "no_endpoint"));
    assert_eq!(rejection.to_string(), "balance 'fleet' has no endpoint to call: 0 are known");
    endpoints.insert("late", Host::new(9));
    assert_eq!(Balance::new(endpoints).oneshot(()).await.unwrap(), 9);
}

/// The one that is ready is wanted for a call, and nobody else reserves anything.
#[tokio::test(start_paused = true)]
async fn only_one_is_asked_when_it_is_ready() {
    let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 5);
    calls(&mut Balance::new(endpoints), 100).await;
    assert_eq!(hosts.iter().map(Host::ready_polls).sum::<u64>(), 100);
}

#[tokio::test(start_paused = true)]
async fn waiting_costs_no_polls() {
    let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 3);
    hosts.iter().for_each(|host| host.readiness(Readiness::Never));
    let mut balance = Balance::new(endpoints);
    let ready = pin!(ServiceExt::<()>::ready(&mut balance));
    assert!(tokio::time::timeout(secs(60), ready).await.is_err());
    assert!(hosts.iter().all(|host| host.ready_polls() <= 2), "{:?}", hosts.each(Host::ready_polls));
}

/// Nobody is ready but one whose ejection ends: nothing else would wake.
#[tokio::test(start_paused = true)]
async fn who_returns_wakes_who_waits() {
    let outliers = outliers().build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 3);
    outliers.eject("1", secs(25));
    hosts[0].readiness(Readiness::Never);
    hosts[2].readiness(Readiness::Never);
    let mut balance = Balance::new(endpoints);
    let began = tokio::time::Instant::now();
    assert_eq!(calls(&mut balance, 1).await, [Some(1)]);
    let waited = began.elapsed();
    assert!(waited >= secs(25) && waited < secs(25) + ms(20), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_clone_for_each_call_clones_one_service() {
    let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 4);
    let balance = Balance::new(endpoints);
    let mut clone = balance.clone();
    calls(&mut clone, 1).await;
    let instances: u32 = hosts.iter().map(Host::instances).sum();
    assert_eq!(instances, 4 + 4 + 1);
    drop(clone);
    assert_eq!(hosts.iter().map(Host::instances).sum::<u32>(), 8);
}
