//! The layer, under all protocols.

use std::{rc::Rc, sync::mpsc::channel, thread};

use portcullis::{BoxError, FromRejection, Mode, Reason, Rejection, ThreadPoolLayer};
use tokio::time::sleep;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::support::{Tells, eventually, ms, pool};

#[tokio::test(start_paused = true)]
async fn the_service_is_called_on_a_thread() {
    let pool = pool(1).build().unwrap();
    let service = ThreadPoolLayer::new(pool.clone()).layer(service_fn(|(): ()| {
        let called = thread::current().name().map(str::to_owned);
        async move {
            sleep(ms(1)).await;
            assert_eq!(called.as_deref(), thread::current().name());
            Ok::<_, BoxError>(called)
        }
    }));
    assert_eq!(service.oneshot(()).await.unwrap().as_deref(), Some("pool"));
}

/// A future that is not `Send` is at home there.
#[tokio::test(start_paused = true)]
async fn a_future_need_not_be_send() {
    #[derive(Clone)]
    struct Local;
    impl Service<u32> for Local {
        type Response = u32;
        type Error = BoxError;
        type Future = std::pin::Pin<Box<dyn Future<Output = Result<u32, BoxError>>>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
            Ok(()).into()
        }

        fn call(&mut self, n: u32) -> Self::Future {
            Box::pin(async move {
                let shared = Rc::new(n);
                sleep(ms(1)).await;
                Ok(*shared)
            })
        }
    }
    let pool = pool(1).build().unwrap();
    assert_eq!(ThreadPoolLayer::new(pool).layer(Local).oneshot(3).await.unwrap(), 3);
}

#[tokio::test]
async fn a_dropped_call_stops() {
    let pool = pool(1).build().unwrap();
    let (tells, told) = channel();
    let (begins, begun) = channel();
    let service = ThreadPoolLayer::new(pool.clone()).layer(service_fn(move |(): ()| {
        let (tells, begins) = (Tells(tells.clone()), begins.clone());
        async move {
            begins.send(()).unwrap();
            let _tells = tells;
            std::future::pending::<Result<(), BoxError>>().await
        }
    }));
    let call = tokio::spawn(service.oneshot(()));
    tokio::task::yield_now().await;
    begun.recv().unwrap();
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(told.recv().unwrap(), "dropped");
    eventually(|| pool.status().busy == 0);
}

#[derive(Debug)]
enum Mine {
    Refused(Rejection),
}

impl FromRejection for Mine {
    fn from_rejection(rejection: Rejection) -> Self {
        Self::Refused(rejection)
    }

    fn as_rejection(&self) -> Option<&Rejection> {
        let Self::Refused(rejection) = self;
        Some(rejection)
    }
}

#[tokio::test]
async fn refusals_and_panics_are_errors_of_the_services_own_type() {
    let pool = pool(1).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(ThreadPoolLayer::new(pool.clone()).typed())
        .service(service_fn(|n: u32| async move { if n == 0 { panic!("zero") } else { Ok::<_, Mine>(n) } }));
    assert_eq!(service.clone().oneshot(1).await.unwrap(), 1);
    let Mine::Refused(panicked) = service.clone().oneshot(0).await.unwrap_err();
    assert_eq!(panicked.reason(), Reason::Panicked);
    let held = pool.try_admit().unwrap();
    let Mine::Refused(full) = service.clone().oneshot(1).await.unwrap_err();
    assert_eq!(full.reason(), Reason::PoolFull { threads: 1, queued: 0 });
    drop(held);
    assert_eq!(service.oneshot(1).await.unwrap(), 1);
}

#[tokio::test]
async fn disabled_the_service_is_called_in_place() {
    let pool = pool(1).mode(Mode::Disabled).build().unwrap();
    let service = ThreadPoolLayer::new(pool)
        .layer(service_fn(|(): ()| async { Ok::<_, BoxError>(thread::current().id()) }));
    assert_eq!(service.oneshot(()).await.unwrap(), thread::current().id());
}

#[cfg(feature = "http")]
#[tokio::test]
async fn a_server_answers() {
    use http_body_util::{BodyExt, Full};
    let pool = pool(1).build().unwrap();
    let service = ThreadPoolLayer::new(pool.clone()).http_server().layer(service_fn(
        |request: http::Request<()>| async move {
            assert_ne!(request.uri().path(), "/panics");
            Ok::<_, std::convert::Infallible>(http::Response::new(Full::from("rendered")))
        },
    ));
    let ask = |path: &str| service.clone().oneshot(http::Request::get(path).body(()).unwrap());
    let answer = ask("/").await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "rendered");
    let panicked = ask("/panics").await.unwrap();
    assert_eq!(
        (panicked.status().as_u16(), &panicked.headers()["portcullis-reason"]),
        (500, &"panicked".parse().unwrap())
    );
    let held = pool.try_admit().unwrap();
    assert_eq!(ask("/").await.unwrap().status().as_u16(), 503);
    drop(held);
    assert_eq!(ask("/").await.unwrap().status().as_u16(), 200);
}
