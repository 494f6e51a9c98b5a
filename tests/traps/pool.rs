//! T24: work that blocks or computes, and keeps all others from theirs; T26: work that goes on though nobody waits
//! for it any more.

use std::sync::mpsc::{Receiver, Sender, channel};

use axum::{Router, routing::get};
use portcullis::{
    BoxError, Breaker, BreakerLayer, Reason, Rejection, ThreadPool, ThreadPoolLayer, Timeout, TimeoutLayer,
};
use portcullis_tests::net::{Server, client, soon};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::common::{ms, rejection, secs};

fn pool(threads: u32) -> portcullis::pool::ThreadPoolBuilder {
    ThreadPool::builder("t24").threads(threads)
}

/// Sends when it is dropped.
struct Tells(Sender<()>);

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// A handler that blocks stops the one thread of the runtime, and whoever could let it go.
#[tokio::test]
async fn t24_a_handler_that_blocks_does_not_stop_the_runtime() {
    let (go, goes) = channel::<u32>();
    let goes = std::sync::Arc::new(std::sync::Mutex::new(goes));
    let service = ServiceBuilder::new().layer(ThreadPoolLayer::new(pool(1).build().unwrap())).service(
        service_fn(move |(): ()| {
            let goes = goes.clone();
            async move { Ok::<_, BoxError>(goes.lock().unwrap().recv().unwrap()) }
        }),
    );
    let call = tokio::spawn(service.oneshot(()));
    tokio::task::yield_now().await;
    go.send(7).unwrap(); // by a task of the same thread
    assert_eq!(call.await.unwrap().unwrap(), 7);
}

/// Without a bound, calls to what hangs pile up until all threads of the process are theirs.
#[tokio::test]
async fn t24_what_hangs_takes_its_own_threads_and_no_others() {
    let (hanging, healthy) = (pool(2).max_queued(1).build().unwrap(), pool(2).build().unwrap());
    let (go, goes) = channel::<()>();
    let goes: &'static std::sync::Mutex<Receiver<()>> = Box::leak(Box::new(std::sync::Mutex::new(goes)));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let hanging = hanging.clone();
            tokio::spawn(async move {
                hanging.run(|| Ok::<_, Rejection>(goes.lock().unwrap().recv().is_ok())).await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    assert_eq!((hanging.status().busy, hanging.status().queued, hanging.status().rejected), (2, 1, 47));
    assert_eq!(healthy.run(|| Ok::<_, Rejection>(1)).await.unwrap(), 1);
    drop(go);
    let ended = futures_util::future::join_all(calls).await;
    assert_eq!(ended.iter().filter(|end| matches!(end, Ok(Ok(false)))).count(), 3);
}

/// The work goes on after its caller has gone, and so does all that is queued behind it.
#[tokio::test(start_paused = true)]
async fn t26_a_call_that_timed_out_stops_its_work() {
    let pool = pool(1).max_queued(10).max_wait(secs(60)).build().unwrap();
    let (dropped, drops) = channel();
    let (begun, begins) = channel();
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total("t26", secs(1)).unwrap()))
        .layer(ThreadPoolLayer::new(pool.clone()))
        .service(service_fn(move |n: u32| {
            begun.send(n).unwrap();
            let tells = Tells(dropped.clone());
            async move {
                let _tells = tells;
                std::future::pending::<Result<(), BoxError>>().await
            }
        }));
    let calls: Vec<_> = (0..5).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    for call in calls {
        assert_eq!(rejection(call.await.unwrap()).reason().as_str(), "timeout");
    }
    drop(service);
    // All at the same moment: the thread may be handed from one to the next on the way.
    assert_eq!(begins.iter().count(), drops.iter().count(), "what had begun was stopped");
    tokio::time::sleep(ms(1)).await; // for which a paused clock lets the thread take its last steps
    assert_eq!((pool.status().busy, pool.status().queued, pool.status().cancelled), (0, 0, 5));
}

/// A panic takes the connection with it, or the whole pool of threads, one by one.
#[tokio::test]
async fn t24_over_sockets_a_panic_is_an_answer() {
    let pool = pool(1).max_queued(8).build().unwrap();
    let breaker = Breaker::builder("t24").consecutive_failures(3).build().unwrap();
    let panics = get(|| async { if true { panic!("a page that cannot be rendered") } else { "rendered" } });
    let router = Router::new()
        .route("/panics", panics)
        .route("/", get(|| async { std::thread::current().name().unwrap_or_default().to_owned() }))
        .layer(ThreadPoolLayer::new(pool.clone()).http_server())
        .layer(BreakerLayer::new(breaker.clone()).http_server());
    let server = Server::axum(router).await;
    let ask = |path: &'static str| {
        let request = client().get(server.url(path)).send();
        async move { soon(request).await.unwrap() }
    };
    for _ in 0..2 {
        let response = ask("/panics").await;
        assert_eq!(
            (response.status().as_u16(), response.headers()["portcullis-reason"].as_bytes()),
            (500, &b"panicked"[..])
        );
    }
    assert_eq!(ask("/").await.text().await.unwrap(), "t24");
    assert_eq!((pool.status().panics, pool.status().busy, breaker.status().failures), (2, 0, 2));
}

/// The panic is taken for a refusal, which a breaker ignores.
#[tokio::test]
async fn t24_a_panic_is_a_failure() {
    let pool = pool(1).build().unwrap();
    let error = pool.run(|| -> Result<(), BoxError> { panic!("lost") }).await.unwrap_err();
    let rejection = Rejection::find(&*error).unwrap();
    assert_eq!(rejection.reason(), Reason::Panicked);
    assert!(matches!(rejection.verdict(), portcullis::Verdict::Failure(_)));
}
