//! Calls without tower, and in a stack.

use std::future::pending;

use portcullis::{BoxError, LoadShedLayer, Overload, PolicyKind, Reason, Rejection};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::support::{ms, settle, shed};

#[tokio::test(start_paused = true)]
async fn a_call_is_in_flight_until_it_ends_or_is_dropped() {
    let shed = shed().max_in_flight(10).build().unwrap();
    assert_eq!(shed.call(|| async { Ok::<_, BoxError>(shed.status().in_flight) }).await.unwrap(), 1);
    assert_eq!(shed.status().in_flight, 0);
    let hangs = tokio::spawn({
        let shed = shed.clone();
        async move { shed.call(pending::<Result<(), BoxError>>).await }
    });
    settle().await;
    assert_eq!(shed.status().in_flight, 1);
    hangs.abort();
    settle().await;
    assert_eq!(shed.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_takes_the_call_off() {
    let shed = shed().max_in_flight(10).build().unwrap();
    let layer = LoadShedLayer::new(shed.clone());
    let at_once =
        layer.layer(service_fn(|(): ()| -> std::future::Ready<Result<(), BoxError>> { panic!("bug") }));
    let later = layer.layer(service_fn(|(): ()| async {
        settle().await;
        assert_eq!(1, 2, "bug");
        Ok::<_, BoxError>(())
    }));
    let first = tokio::spawn(at_once.oneshot(()));
    let second = tokio::spawn(later.oneshot(()));
    assert!(first.await.unwrap_err().is_panic() && second.await.unwrap_err().is_panic());
    assert_eq!(shed.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn the_refusal_says_what_was_measured_and_when_to_come_again() {
    let shed = shed().max_in_flight(1).retry_after(ms(4000)).build().unwrap();
    let layer = LoadShedLayer::new(shed.clone());
    let mut service = layer.layer(service_fn(|(): ()| pending::<Result<(), BoxError>>()));
    let running = service.ready().await.unwrap().call(());
    let error = service.ready().await.unwrap().call(()).await.unwrap_err();
    let rejection = error.downcast_ref::<Rejection>().unwrap();
    let reason = Reason::Overloaded { signal: Overload::InFlight, measured: 1.0, limit: 1.0 };
    assert_eq!((rejection.kind(), rejection.reason()), (PolicyKind::LoadShed, reason));
    let after = rejection.retry_after().unwrap();
    assert!((ms(2000)..=ms(4000)).contains(&after), "{after:?}");
    drop(running);
    assert_eq!(shed.status().in_flight, 0);
}
