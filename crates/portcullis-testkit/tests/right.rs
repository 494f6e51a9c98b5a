//! Layers that keep the laws: tower's own, and one that waits in the response future.

use std::{
    future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use portcullis_testkit::{
    laws,
    laws::{Answer, Call, HttpRequest, HttpResponse, Marked, Plain},
    laws_http,
};
use tokio::sync::Semaphore;
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt,
    buffer::BufferLayer,
    layer::util::Identity,
    limit::{ConcurrencyLimitLayer, GlobalConcurrencyLimitLayer},
    retry::{Policy, RetryLayer},
    timeout::TimeoutLayer,
    util::{MapRequestLayer, MapResponseLayer},
};

/// Two more attempts after any error, at once.
#[derive(Clone)]
struct TwoMore(u32);

impl<Req: Clone, Res, Err> Policy<Req, Res, Err> for TwoMore {
    type Future = future::Ready<()>;

    fn retry(&mut self, _: &mut Req, result: &mut Result<Res, Err>) -> Option<Self::Future> {
        if result.is_ok() || self.0 == 0 {
            return None;
        }
        self.0 -= 1;
        Some(future::ready(()))
    }

    fn clone_request(&mut self, request: &Req) -> Option<Req> {
        Some(request.clone())
    }
}

/// Always ready: waits for a permit of its own and for the inner service in the response future, and
/// makes three attempts, each on an instance polled ready for it.
#[derive(Clone)]
struct Absorbing(Arc<Semaphore>);

#[derive(Clone)]
struct Absorbed<S> {
    inner: S,
    permits: Arc<Semaphore>,
}

impl<S> Layer<S> for Absorbing {
    type Service = Absorbed<S>;

    fn layer(&self, inner: S) -> Absorbed<S> {
        Absorbed { inner, permits: Arc::clone(&self.0) }
    }
}

impl<S, Req> Service<Req> for Absorbed<S>
where
    S: Service<Req, Response: Send, Error: Into<BoxError> + Send, Future: Send> + Clone + Send + 'static,
    Req: Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let Self { inner, permits } = self.clone();
        Box::pin(async move {
            let _permit = permits.acquire().await?;
            let mut attempts = 0;
            loop {
                attempts += 1;
                match inner.clone().oneshot(request.clone()).await {
                    Err(_) if attempts < 3 => tokio::time::sleep(Duration::from_millis(50)).await,
                    answer => return answer.map_err(Into::into),
                }
            }
        })
    }
}

const LONG: Duration = Duration::from_secs(30);

laws!(identity, Identity::new);
laws!(timeout, || TimeoutLayer::new(LONG));
laws!(retry, || RetryLayer::new(TwoMore(2)), attempts = 3);
laws!(concurrency_limit, || ConcurrencyLimitLayer::new(1));
laws!(global_concurrency_limit, || GlobalConcurrencyLimitLayer::new(1), limited_to = 1);
laws!(mapped, || (MapRequestLayer::new(|call: Call| call), MapResponseLayer::new(|answer: Answer| answer)));
laws!(
    /// In the order a user would stack them.
    stack,
    || ServiceBuilder::new()
        .map_err(BoxError::from)
        .timeout(LONG)
        .retry(TwoMore(1))
        .layer(GlobalConcurrencyLimitLayer::new(2))
        .into_inner(),
    limited_to = 2,
    attempts = 2,
    waiting = Duration::from_secs(10),
);
laws!(buffer, || BufferLayer::<Call>::new(8));
laws!(spelled_out in Plain, Identity::new);

laws!(absorbing, || Absorbing(Arc::new(Semaphore::new(1))), limited_to = 1, attempts = 3);

laws_http!(http_timeout, || TimeoutLayer::new(LONG));
laws_http!(http_retry, || RetryLayer::new(TwoMore(2)), attempts = 3);
laws_http!(http_body_types_changed, || {
    ServiceBuilder::new()
        .map_request(|request: HttpRequest| request.map(http_body_util::Either::<_, String>::Left))
        .map_response(|response: HttpResponse| response.map(http_body_util::combinators::BoxBody::new))
        .map_err(|marked: Marked| BoxError::from(marked))
        .into_inner()
});
