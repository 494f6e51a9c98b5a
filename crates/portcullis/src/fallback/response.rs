//! Responses of one's own in place of those that failed, over HTTP.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    task::{Context, Poll, ready as poll_ready},
};

use ::http::Response;
use bytes::Bytes;
use pin_project_lite::pin_project;
use portcullis_core::Time;
use tower_layer::Layer;
use tower_service::Service;

use super::{Fallback, FallbackLayer, FallbackService, Instead, Keep, Why};
use crate::{Grpc, HttpClient, HttpServer, protocol::ResponseBody, replay::CloneReplay};

/// A body: that of the service below, or one's own.
type OwnBody<B> = ResponseBody<B, ()>;

/// Answers a response of one's own, whose body is text or bytes, in place of calls that failed.
///
/// Made by [`FallbackLayer::response`]. The protocol is [`HttpServer`] unless another is chosen.
#[derive(Clone, Debug)]
pub struct ResponseLayer<F, P = HttpServer> {
    layer: FallbackLayer<Respond<F>, P>,
}

impl<F> FallbackLayer<Respond<F>> {
    /// Over HTTP, answers the response that `respond` makes of the reason: its body is anything that becomes bytes,
    /// whatever the bodies below are.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body_util::{BodyExt, Full};
    /// use portcullis::{BoxError, Breaker, BreakerLayer, Fallback, FallbackLayer};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// let breaker = Breaker::new("news");
    /// breaker.isolate();
    /// let client = service_fn(|_: Request<String>| async { Ok::<_, BoxError>(Response::new(Full::<Bytes>::from("new"))) });
    /// let service = ServiceBuilder::new()
    ///     .layer(FallbackLayer::response(Fallback::new("news"), |_why| Response::new("old")).http_client())
    ///     .layer(BreakerLayer::new(breaker).http_client())
    ///     .service(client);
    ///
    /// let response = service.oneshot(Request::new(String::new())).await?;
    /// assert_eq!(response.into_body().collect().await?.to_bytes(), "old");
    /// # Ok(()) }
    /// ```
    pub fn response<T: Into<Bytes>>(fallback: Fallback, respond: F) -> ResponseLayer<F>
    where
        F: Fn(Why) -> Response<T>,
    {
        let layer = Self::answering(fallback, Respond(respond)).protocol(HttpServer::default());
        ResponseLayer { layer }
    }
}

impl<F, P> ResponseLayer<F, P> {
    /// The same layer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> ResponseLayer<F, Q> {
        ResponseLayer { layer: self.layer.protocol(protocol) }
    }

    /// For HTTP servers, such as gateways, as it is unless another is chosen; see [`HttpServer`].
    pub fn http_server(self) -> ResponseLayer<F> {
        self.protocol(HttpServer::default())
    }

    /// For HTTP clients; see [`HttpClient`].
    pub fn http_client(self) -> ResponseLayer<F, HttpClient> {
        self.protocol(HttpClient::default())
    }

    /// For gRPC; see [`Grpc`].
    pub fn grpc(self) -> ResponseLayer<F, Grpc> {
        self.protocol(Grpc::default())
    }
}

impl<S, F: Clone, P: Clone> Layer<S> for ResponseLayer<F, P> {
    type Service = FallbackService<WithRoom<S>, P, CloneReplay, Respond<F>>;

    fn layer(&self, inner: S) -> Self::Service {
        self.layer.layer(WithRoom(inner))
    }
}

/// A response, which a function makes of the reason.
#[derive(Clone, Copy, Debug)]
pub struct Respond<F>(F);

impl<Req, R, F> Keep<Req, R> for Respond<F> {
    type Request = Req;
    type Kept = ();

    #[inline(always)]
    fn keep(&self, request: Req, _: &R) -> (Req, ()) {
        (request, ())
    }
}

impl<Req, B, P, R, Err, F, T> Instead<Req, Response<OwnBody<B>>, P, R, Err> for Respond<F>
where
    F: Fn(Why) -> Response<T>,
    T: Into<Bytes>,
{
    type Future = Ready<Result<Response<OwnBody<B>>, Err>>;

    fn answer(&self, (): (), why: Why, _: &P, _: &R, _: Option<Time>) -> Option<Self::Future> {
        Some(ready(Ok((self.0)(why).map(|body| OwnBody::full(body.into())))))
    }
}

/// A service whose responses have room for a body of one's own.
#[derive(Clone, Debug)]
pub struct WithRoom<S>(S);

impl<S, Req, B> Service<Req> for WithRoom<S>
where
    S: Service<Req, Response = Response<B>>,
{
    type Response = Response<OwnBody<B>>;
    type Error = S::Error;
    type Future = WithRoomFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        WithRoomFuture { inner: self.0.call(request) }
    }
}

pin_project! {
    /// The response future of [`WithRoom`].
    #[derive(Debug)]
    pub struct WithRoomFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, B, Err> Future for WithRoomFuture<F>
where
    F: Future<Output = Result<Response<B>, Err>>,
{
    type Output = Result<Response<OwnBody<B>>, Err>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = poll_ready!(self.project().inner.poll(cx));
        Poll::Ready(result.map(|response| response.map(OwnBody::inner)))
    }
}
