//! Calls that run elsewhere do so inside of the span that was the current one when they were made.

use std::{
    pin::Pin,
    sync::mpsc::{Receiver, Sender, channel},
    task::{Context, Poll},
};

use futures_util::FutureExt;
use portcullis::{
    BoxError, Executor, ExecutorLayer, ObserveLayer, Registry, Rejection, ThreadPool, ThreadPoolLayer,
    event::Interest, trace,
};
use tower::{Layer, Service, service_fn};
use tracing::{Instrument, info, info_span};

use crate::{capture::Capture, support::observer};

/// Is done when it is to be, and logs when it is called, polled and dropped, of which it tells.
struct Logs {
    done: bool,
    dropped: Sender<()>,
}

impl Future for Logs {
    type Output = Result<(), BoxError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        info!("polled");
        if self.done { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        info!("dropped");
        let _ = self.dropped.send(());
    }
}

type Logging = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// Whether it is done is asked by the request.
fn logs() -> (
    impl Service<bool, Response = (), Error = BoxError, Future = Logging> + Clone + Send + 'static,
    Receiver<()>,
) {
    let (dropped, is_dropped) = channel();
    let service = service_fn(move |done| {
        info!("called");
        Box::pin(Logs { done, dropped: dropped.clone() }) as Logging
    });
    (service, is_dropped)
}

fn executor() -> Executor {
    Executor::builder("tasks").registry(&Registry::new()).build().unwrap()
}

#[tokio::test]
async fn by_an_executor() {
    let (capture, _guard) = Capture::start();
    let (logs, _is_dropped) = logs();
    let mut service = ExecutorLayer::new(executor()).layer(logs);
    // It is not polled inside.
    let call = info_span!("made").in_scope(|| service.call(true));
    call.await.unwrap();
    assert_eq!(capture.tree(), ["made : called, polled, dropped"]);
    assert_eq!(capture.outside(), [""; 0]);
}

#[tokio::test]
async fn by_an_executor_and_cancelled() {
    let (capture, _guard) = Capture::start();
    let (logs, is_dropped) = logs();
    let observer = observer(&Registry::new());
    let mut service = ObserveLayer::calls(observer).layer(ExecutorLayer::new(executor()).layer(logs));
    let mut call = service.call(false);
    assert!((&mut call).now_or_never().is_none());
    tokio::task::yield_now().await;
    drop(call);
    while is_dropped.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    assert_eq!(capture.tree(), ["call abandoned: called, polled, dropped"]);
    assert_eq!(capture.outside(), [""; 0]);
}

/// One test for all, because threads have the subscriber of the whole process.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn on_a_thread() {
    let capture = Capture::default();
    tracing::subscriber::set_global_default(capture.subscriber()).unwrap();
    let (logs, is_dropped) = logs();
    let registry = Registry::new();
    let _told = trace::install(&registry, Interest::All);
    let pool = ThreadPool::builder("threads").threads(1).max_queued(1).registry(&registry).build().unwrap();
    let mut service = ThreadPoolLayer::new(pool.clone()).layer(logs);

    let call = info_span!("made").in_scope(|| service.call(true));
    call.await.unwrap();

    let taken = pool.try_admit().unwrap();
    let call = info_span!("waited").in_scope(|| service.call(true));
    drop(taken);
    call.await.unwrap();

    let panics = pool.run(|| -> Result<(), Rejection> { panic!("on a thread") });
    panics.instrument(info_span!("panicked")).await.unwrap_err();

    let mut call = ObserveLayer::calls(observer(&registry)).layer(service).call(false);
    assert!((&mut call).now_or_never().is_none());
    while !capture.tree().iter().any(|line| line.ends_with(": called, polled")) {
        tokio::task::yield_now().await;
    }
    drop(call);
    is_dropped.iter().nth(2).unwrap();
    while capture.spans().iter().any(|span| !span.closed) {
        tokio::task::yield_now().await;
    }

    let run = "called, polled, dropped";
    let spans = [
        format!("made : {run}"),
        format!("waited : {run}"),
        "panicked : call panicked".to_owned(),
        format!("call abandoned: {run}"),
    ];
    assert_eq!(capture.tree(), spans);
    assert_eq!(capture.outside(), [""; 0]);
}
