//! A service that tells its health.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use ::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use pin_project_lite::pin_project;
use portcullis_core::health::Level;
use tower_service::Service;

use super::{HealthLayer, document};
use crate::{
    oneshot::Oneshot,
    protocol::{ResponseBody, without_content},
};

/// A service that tells its health. It is always ready: a call for the inner service waits for that
/// service's readiness itself.
#[derive(Clone, Debug)]
pub struct HealthService<S> {
    inner: S,
    layer: HealthLayer,
    unready: bool,
}

impl<S> HealthService<S> {
    pub(super) fn new(inner: S, layer: HealthLayer) -> Self {
        Self { inner, layer, unready: false }
    }
}

impl<S, ReqB, B> Service<Request<ReqB>> for HealthService<S>
where
    S: Service<Request<ReqB>, Response = Response<B>> + Clone,
{
    type Response = Response<ResponseBody<B, ()>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let inner = self.inner.poll_ready(cx);
        self.unready = inner.is_pending();
        match inner {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, request: Request<ReqB>) -> Self::Future {
        let ready = !std::mem::take(&mut self.unready);
        match self.layer.answer(&request) {
            Some(answer) => {
                // The instance that was asked and is not called is dropped, with all that it has reserved.
                self.inner = self.inner.clone();
                ResponseFuture { state: State::Own { answer: Some(answer) } }
            }
            None => {
                let inner = Oneshot::new(&mut self.inner, ready, request);
                ResponseFuture { state: State::Inner { inner } }
            }
        }
    }
}

impl HealthLayer {
    /// The answer to a question about health.
    fn answer<B>(&self, request: &Request<B>) -> Option<Response<Bytes>> {
        match *request.method() {
            Method::GET => self.get(request),
            Method::HEAD => self.get(request).map(without_content),
            _ => None,
        }
    }

    fn get<B>(&self, request: &Request<B>) -> Option<Response<Bytes>> {
        match self.below_prefix(request.uri().path())? {
            "/livez" => Some(plain(StatusCode::OK, "live")),
            "/readyz" if self.health.is_ready() => Some(plain(StatusCode::OK, "ready")),
            "/readyz" => Some(plain(StatusCode::SERVICE_UNAVAILABLE, "not ready")),
            "/health" => Some(self.document(request.uri().query())),
            _ => None,
        }
    }

    fn below_prefix<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.prefix.is_empty() { Some(path) } else { path.strip_prefix('/')?.strip_prefix(self.prefix) }
    }

    fn document(&self, query: Option<&str>) -> Response<Bytes> {
        let picture = self.health.look();
        let critical = picture.overall == Level::Critical;
        let status = if critical { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        let wants_text = query.is_some_and(|query| query.split('&').any(|pair| pair == "format=text"));
        if wants_text {
            return plain(status, document::text(&picture));
        }
        answer(status, "application/json", document::json(&picture).to_string())
    }
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Bytes> {
    answer(status, "text/plain; charset=utf-8", text)
}

fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pin_project! {
    /// The response future of [`HealthService`].
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Own { answer: Option<Response<Bytes>> },
        Inner { #[pin] inner: Oneshot<S, Request<B>> },
    }
}

impl<S, ReqB, B> Future for ResponseFuture<S, ReqB>
where
    S: Service<Request<ReqB>, Response = Response<B>>,
{
    type Output = Result<Response<ResponseBody<B, ()>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Own { answer } => match answer.take() {
                Some(answer) => Poll::Ready(Ok(answer.map(ResponseBody::full))),
                None => Poll::Pending, // polled after it was ready
            },
            StateProj::Inner { inner } => inner.poll(cx).map_ok(|response| response.map(ResponseBody::inner)),
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("health::ResponseFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Health, Registry};

    #[test]
    fn answers_head_without_content() {
        let layer = HealthLayer::new(Health::new(&Registry::new()));
        for path in ["/livez", "/readyz", "/health", "/health?format=text"] {
            let ask = |method| layer.answer(&Request::builder().method(method).uri(path).body(()).unwrap());
            let (get, head) = (ask(Method::GET).unwrap(), ask(Method::HEAD).unwrap());
            assert!(head.body().is_empty(), "{path}");
            assert_eq!(head.headers()[header::CONTENT_LENGTH], get.body().len().to_string(), "{path}");
            assert_eq!(head.headers()[header::CONTENT_TYPE], get.headers()[header::CONTENT_TYPE], "{path}");
        }
    }
}
