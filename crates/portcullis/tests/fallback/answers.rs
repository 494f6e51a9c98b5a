//! What is answered in place of what.

use std::{
    future::pending,
    io::ErrorKind::{ConnectionRefused, InvalidData, TimedOut},
};

use portcullis::{
    BoxError, Breaker, BreakerLayer, FailureKind, FallbackLayer, Mode, Registry, Rejection, Timeout,
    TimeoutLayer, fallback::Why,
};
use portcullis_testkit::script::Step;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::support::{dependency, fallback, io, ms};

#[tokio::test]
async fn a_failure_is_covered_and_a_success_is_not() {
    let fallback = fallback().build().unwrap();
    let (inner, handle) = dependency([Step::ok(1), io(ConnectionRefused)]);
    let service = FallbackLayer::value(fallback.clone(), |why: Why| why.kind().unwrap() as u32).layer(inner);
    assert_eq!(service.clone().oneshot(7).await.unwrap(), 1);
    assert_eq!(service.oneshot(8).await.unwrap(), FailureKind::Connection as u32);
    assert_eq!((fallback.status().used, fallback.status().failed), (1, 0));
    assert_eq!(handle.take_requests(), [7, 8]);
}

#[tokio::test]
async fn what_the_caller_must_know_is_not_covered() {
    let fallback = fallback().build().unwrap();
    let (inner, _) = dependency([io(InvalidData)]);
    let service = FallbackLayer::value(fallback.clone(), |_| 99).layer(inner);
    assert_eq!(service.oneshot(7).await.unwrap_err().to_string(), "invalid data");
    assert_eq!(fallback.status().used, 0);
}

#[tokio::test]
async fn only_the_chosen_kinds_are_covered() {
    let fallback = fallback().only([FailureKind::Timeout]).refusals(false).build().unwrap();
    let (inner, _) = dependency([io(TimedOut), io(ConnectionRefused)]);
    let service = FallbackLayer::value(fallback, |_| 99).layer(inner);
    assert_eq!(service.clone().oneshot(7).await.unwrap(), 99);
    service.clone().oneshot(7).await.unwrap_err();
}

#[tokio::test]
async fn refusals_below_are_covered_unless_that_is_off() {
    let breaker = Breaker::builder("b").registry(&Registry::new()).build().unwrap();
    breaker.isolate();
    let fallback = fallback().build().unwrap();
    let refused = |why: Why| u32::from(why.rejection().is_some() && why.failure().is_none());
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value(fallback.clone(), refused))
        .layer(BreakerLayer::new(breaker))
        .service(dependency([]).0);
    assert_eq!(service.clone().oneshot(7).await.unwrap(), 1);
    let off = portcullis::fallback::Config { refusals: false, ..(*fallback.config()).clone() };
    fallback.reconfigure(off).unwrap();
    assert!(Rejection::find(&*service.oneshot(7).await.unwrap_err()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_a_failure_with_its_refusal() {
    let timeout = Timeout::builder("t", ms(100)).registry(&Registry::new()).build().unwrap();
    let kind = |why: Why| (why.kind() == Some(FailureKind::Timeout) && why.rejection().is_some()) as u32;
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value(fallback().build().unwrap(), kind))
        .layer(TimeoutLayer::new(timeout))
        .service(dependency([]).0);
    assert_eq!(service.oneshot(7).await.unwrap(), 1);
}

#[tokio::test]
async fn a_function_answers_and_its_failure_is_the_answer() {
    let fallback = fallback().build().unwrap();
    let (inner, _) = dependency([io(TimedOut), io(TimedOut)]);
    let keep = |request: &u32| *request;
    let answer = |request: u32, _: Why| async move {
        if request == 7 { Ok(70) } else { Err(BoxError::from("nothing of yesterday")) }
    };
    let service = FallbackLayer::function_keeping(fallback.clone(), keep, answer).layer(inner);
    assert_eq!(service.clone().oneshot(7).await.unwrap(), 70);
    assert_eq!(service.oneshot(8).await.unwrap_err().to_string(), "nothing of yesterday");
    assert_eq!((fallback.status().used, fallback.status().failed), (2, 1));
}

#[tokio::test]
async fn another_service_gets_the_same_request_once_it_is_ready() {
    let fallback = fallback().build().unwrap();
    let (inner, first) = dependency([io(TimedOut)]);
    let (replica, second) = dependency([Step::ok(2)]);
    second.close();
    let service = FallbackLayer::service(fallback, replica).layer(inner);
    let call = tokio::spawn(service.oneshot(7));
    while first.tally().calls == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(second.tally().calls, 0);
    second.open();
    assert_eq!(call.await.unwrap().unwrap(), 2);
    assert_eq!((first.take_requests(), second.take_requests()), (vec![7], vec![7]));
}

/// A failed readiness is a failure of the call, and not the end of the service.
#[tokio::test]
async fn an_error_of_readiness_is_covered() {
    #[derive(Clone)]
    struct Never;
    impl tower::Service<u32> for Never {
        type Response = u32;
        type Error = BoxError;
        type Future = std::future::Ready<Result<u32, BoxError>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
            std::task::Poll::Ready(Err(std::io::Error::from(ConnectionRefused).into()))
        }

        fn call(&mut self, _: u32) -> Self::Future {
            unreachable!("it is never ready")
        }
    }
    let service = FallbackLayer::value(fallback().build().unwrap(), |why| why.kind().unwrap() as u32);
    assert_eq!(service.layer(Never).oneshot(7).await.unwrap(), FailureKind::Connection as u32);
}

#[tokio::test]
async fn in_shadow_it_is_only_counted() {
    let fallback = fallback().mode(Mode::Shadow).build().unwrap();
    let (inner, _) = dependency([io(TimedOut), io(TimedOut)]);
    let service = FallbackLayer::value(fallback.clone(), |_| 99).layer(inner);
    service.clone().oneshot(7).await.unwrap_err();
    fallback.set_mode(Mode::Disabled).unwrap();
    service.oneshot(7).await.unwrap_err();
    assert_eq!((fallback.status().used, fallback.status().shadowed), (0, 1));
}

#[tokio::test]
async fn a_substitute_that_is_given_up_is_counted() {
    let fallback = fallback().build().unwrap();
    let never = |_: Why| pending::<Result<u32, BoxError>>();
    let service = FallbackLayer::function(fallback.clone(), never)
        .layer(service_fn(|_: u32| async { Err::<u32, BoxError>("no".into()) }));
    let mut call = tokio_test::task::spawn(service.oneshot(7));
    assert!(call.poll().is_pending());
    assert_eq!((fallback.status().used, fallback.status().abandoned), (1, 0));
    drop(call);
    assert_eq!(fallback.status().abandoned, 1);
}

#[tokio::test]
async fn by_hand() {
    let fallback = fallback().build().unwrap();
    let call = || async { Err::<u32, BoxError>("no connection".into()) };
    assert_eq!(fallback.call(call, |_| async { Ok(99) }).await.unwrap(), 99);
    let invalid = || async { Err::<u32, BoxError>(std::io::Error::from(InvalidData).into()) };
    fallback.call(invalid, |_| async { Ok(99) }).await.unwrap_err();
    assert_eq!(fallback.status().used, 1);
}
