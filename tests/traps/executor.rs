//! T26: work on another runtime that goes on though nobody waits for it any more.

use portcullis::{Executor, ExecutorLayer, Registry, Timeout, TimeoutLayer};
use portcullis_tests::net::soon;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::common::ms;

/// Says so when it is dropped.
struct Tells(Option<tokio::sync::oneshot::Sender<()>>);

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.take().map(|sender| sender.send(()));
    }
}

#[tokio::test]
async fn t26_a_task_whose_call_is_dropped_is_aborted() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let executor = Executor::builder("t26")
        .runtime(runtime.handle().clone())
        .registry(&Registry::new())
        .build()
        .unwrap();
    let (sender, stopped) = tokio::sync::oneshot::channel();
    let tells = std::sync::Arc::new(std::sync::Mutex::new(Some(Tells(Some(sender)))));
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total("t26", ms(20)).unwrap()))
        .layer(ExecutorLayer::new(executor.clone()))
        .service(service_fn(move |(): ()| {
            let tells = tells.lock().unwrap().take();
            async move {
                let _tells = tells;
                loop {
                    tokio::time::sleep(ms(1)).await; // work that would never end
                }
                #[expect(unreachable_code, reason = "it says what the loop would return")]
                Ok::<(), portcullis::BoxError>(())
            }
        }));
    service.oneshot(()).await.unwrap_err();
    soon(stopped).await.unwrap();
    assert_eq!((executor.status().cancelled, executor.status().finished), (1, 0));
    runtime.shutdown_background();
}
