//! Endpoints that come and go while calls flow.

use std::{pin::pin, task::Poll};

use portcullis::{Balance, BoxError, Name, balance::Change};
use tokio::sync::mpsc;
use tokio_test::{assert_pending, task};
use tower::{
    Service, ServiceExt,
    discover::{self, Discover},
};

use super::support::{Act, Host, Readiness, calls, fleet, is_ejected, outliers, until_ejected};

#[tokio::test(start_paused = true)]
async fn a_new_endpoint_gets_calls_and_a_removed_one_none() {
    let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 2);
    let mut balance = Balance::new(endpoints.clone());
    calls(&mut balance, 20).await;
    let new = Host::new(2);
    endpoints.insert("2", new.clone());
    assert!(endpoints.remove("0") && !endpoints.remove("0"));
    let before = hosts[0].calls();
    calls(&mut balance, 40).await;
    assert!(hosts[0].calls() == before && new.calls() > 10);
    assert_eq!(hosts[0].instances(), 1, "nobody keeps it");
}

#[tokio::test(start_paused = true)]
async fn a_call_on_a_removed_endpoint_goes_on() {
    let outliers = outliers().build().unwrap();
    let (_, endpoints) = fleet(&outliers, 1);
    let mut balance = Balance::new(endpoints.clone());
    let call = ServiceExt::<()>::ready(&mut balance).await.unwrap().call(());
    endpoints.remove("0");
    assert_eq!(call.await.unwrap(), 0);
    assert_eq!(outliers.status().endpoints, 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_endpoint_wakes_who_waits() {
    let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 1);
    hosts[0].readiness(Readiness::Never);
    let mut balance = Balance::new(endpoints.clone());
    let mut task = task::spawn(());
    assert_pending!(task.enter(|cx, _| Service::<()>::poll_ready(&mut balance, cx)));
    endpoints.insert("new", Host::new(1));
    assert!(task.is_woken());
    assert!(matches!(task.enter(|cx, _| Service::<()>::poll_ready(&mut balance, cx)), Poll::Ready(Ok(()))));
    assert_eq!(Service::call(&mut balance, ()).await.unwrap(), 1);
}

/// A discovery that tells the same list again brings no bad endpoint back.
#[tokio::test(start_paused = true)]
async fn another_service_under_a_known_name_keeps_what_is_known() {
    let outliers = outliers().build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 3);
    hosts[0].act(Act::Fail);
    let mut balance = Balance::new(endpoints.clone());
    until_ejected(&mut balance, "0").await;
    let fresh = Host::new(7);
    endpoints.replace([("0", fresh.clone()), ("1", hosts[1].clone())]);
    assert_eq!((endpoints.names().len(), is_ejected(&outliers, "0")), (2, true));
    calls(&mut balance, 20).await;
    assert_eq!(fresh.calls(), 0);
    assert!(outliers.restore("0"));
    calls(&mut balance, 20).await;
    assert!(fresh.calls() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_changes_is_followed_to_its_end() {
    let (_, endpoints) = fleet(&outliers().build().unwrap(), 1);
    let (tell, mut told) = mpsc::channel(8);
    let follower = endpoints.clone();
    let task = tokio::spawn(async move {
        follower.follow(|cx| told.poll_recv(cx).map(|change| change.map(Ok::<_, BoxError>))).await
    });
    tell.send(Change::Insert(Name::from("1"), Host::new(1))).await.unwrap();
    tell.send(Change::Remove(Name::from("0"))).await.unwrap();
    drop(tell);
    task.await.unwrap().unwrap();
    assert_eq!(endpoints.names(), [Name::from("1")]);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_stream_leaves_the_endpoints() {
    let (_, endpoints) = fleet(&outliers().build().unwrap(), 2);
    let error = endpoints.follow(|_| Poll::Ready(Some(Err::<Change<Host>, BoxError>("dns".into())))).await;
    assert_eq!((error.unwrap_err().to_string(), endpoints.len()), ("dns".to_owned(), 2));
}

/// tower's own discovery, as its docs have it.
#[tokio::test(start_paused = true)]
async fn towers_discover_plugs_in() {
    let (_, endpoints) = fleet(&outliers().build().unwrap(), 0);
    let services = discover::ServiceList::new::<()>([Host::new(0), Host::new(1)]);
    let mut services = pin!(services);
    let named = |at: usize| Name::from(at.to_string());
    let change = |change| match change {
        discover::Change::Insert(at, service) => Change::Insert(named(at), service),
        discover::Change::Remove(at) => Change::Remove(named(at)),
    };
    endpoints.follow(|cx| services.as_mut().poll_discover(cx).map_ok(change)).await.unwrap();
    assert_eq!(endpoints.len(), 2);
    let answers = calls(&mut Balance::new(endpoints), 40).await;
    assert!(answers.contains(&Some(0)) && answers.contains(&Some(1)));
}

#[tokio::test(start_paused = true)]
async fn the_policy_forgets_a_set_that_is_gone() {
    let outliers = outliers().build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 3);
    let balance = Balance::new(endpoints);
    assert_eq!(outliers.status().endpoints, 3);
    drop(balance);
    assert_eq!((outliers.status().endpoints, hosts[0].instances()), (0, 1));
}
