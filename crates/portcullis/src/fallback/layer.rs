//! The fallback in a tower stack.

use std::future::Future;

use tower_layer::Layer;

use super::{Fallback, FallbackService, Function, Keeping, Other, Value, Why};
use crate::{Boxed, Typed, replay::CloneReplay};
#[cfg(feature = "http")]
use crate::{Grpc, HttpClient, HttpServer, replay::HttpReplay};

/// Answers something else in place of calls of a service that failed, by a [`Fallback`].
///
/// The protocol is [`Boxed`] unless another is chosen. Only where another service is to get the same request is
/// that kept: cloned, and with a protocol for HTTP buffered.
#[derive(Clone, Debug)]
pub struct FallbackLayer<I, P = Boxed, R = CloneReplay> {
    fallback: Fallback,
    instead: I,
    protocol: P,
    replay: R,
}

impl<F> FallbackLayer<Value<F>> {
    /// Answers what `value` makes of the reason.
    ///
    /// ```
    /// use portcullis::{Fallback, FallbackLayer};
    ///
    /// let layer = FallbackLayer::value(Fallback::new("news"), |_why| Vec::<String>::new());
    /// # let _ = layer;
    /// ```
    ///
    /// The value is of the type that the service below answers with. Over HTTP that is a response with the body of the
    /// layer below, whose type names that layer: `FallbackLayer::response` takes any.
    pub fn value<Res>(fallback: Fallback, value: F) -> Self
    where
        F: Fn(Why) -> Res,
    {
        Self::answering(fallback, Value(value))
    }
}

impl<F> FallbackLayer<Function<F>> {
    /// Answers what the future answers that `function` makes of the reason. Its error is the layer's: a
    /// `BoxError` with [`Boxed`] and [`HttpClient`](crate::HttpClient).
    ///
    /// ```
    /// use portcullis::{BoxError, Fallback, FallbackLayer, fallback::Why};
    ///
    /// async fn of_yesterday() -> Result<u32, BoxError> {
    ///     Ok(99)
    /// }
    ///
    /// let layer = FallbackLayer::function(Fallback::new("prices"), |_why: Why| of_yesterday());
    /// # let _ = layer;
    /// ```
    pub fn function<Fut: Future>(fallback: Fallback, function: F) -> Self
    where
        F: Fn(Why) -> Fut,
    {
        Self::answering(fallback, Function(function))
    }
}

impl<G, F> FallbackLayer<Keeping<G, F>> {
    /// The same for a function that wants to know what was asked: it gets what `keep` took from the request.
    ///
    /// ```
    /// use portcullis::{BoxError, Fallback, FallbackLayer, fallback::Why};
    ///
    /// async fn of_yesterday(item: u32, _: Why) -> Result<u32, BoxError> {
    ///     Ok(item + 99)
    /// }
    ///
    /// struct Request { item: u32 }
    ///
    /// let keep = |request: &Request| request.item;
    /// let layer = FallbackLayer::function_keeping(Fallback::new("prices"), keep, of_yesterday);
    /// # let _ = layer;
    /// ```
    pub fn function_keeping<Req, K, Fut: Future>(fallback: Fallback, keep: G, function: F) -> Self
    where
        G: Fn(&Req) -> K,
        F: Fn(K, Why) -> Fut,
    {
        Self::answering(fallback, Keeping { keep, function })
    }
}

impl<T> FallbackLayer<Other<T>> {
    /// Answers what another service answers to the same request. Each call waits for an instance of its own to
    /// get ready.
    ///
    /// ```
    /// use portcullis::{BoxError, Fallback, FallbackLayer};
    /// use tower::service_fn;
    ///
    /// let replica = service_fn(|item: u32| async move { Ok::<_, BoxError>(item) });
    /// let layer = FallbackLayer::service(Fallback::new("replica"), replica);
    /// # let _ = layer;
    /// ```
    pub fn service(fallback: Fallback, service: T) -> Self {
        Self::answering(fallback, Other(service))
    }
}

impl<I> FallbackLayer<I> {
    /// Answers by an [`Instead`](super::Instead) of one's own.
    pub fn answering(fallback: Fallback, instead: I) -> Self {
        Self { fallback, instead, protocol: Boxed::default(), replay: CloneReplay }
    }
}

impl<I, P, R> FallbackLayer<I, P, R> {
    /// The same layer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> FallbackLayer<I, Q, R> {
        let Self { fallback, instead, replay, .. } = self;
        FallbackLayer { fallback, instead, protocol, replay }
    }

    /// The same layer with another way to send a request again; see [`Replay`](crate::replay::Replay).
    pub fn replay<T>(self, replay: T) -> FallbackLayer<I, P, T> {
        let Self { fallback, instead, protocol, .. } = self;
        FallbackLayer { fallback, instead, protocol, replay }
    }

    /// For services with an error type of their own; see [`Typed`].
    pub fn typed(self) -> FallbackLayer<I, Typed, R> {
        self.protocol(Typed::default())
    }
}

#[cfg(feature = "http")]
impl<I, P, R> FallbackLayer<I, P, R> {
    /// For HTTP servers, such as gateways; see [`HttpServer`].
    pub fn http_server(self) -> FallbackLayer<I, HttpServer, HttpReplay> {
        self.protocol(HttpServer::default()).replay(HttpReplay::default())
    }

    /// For HTTP clients; see [`HttpClient`].
    pub fn http_client(self) -> FallbackLayer<I, HttpClient, HttpReplay> {
        self.protocol(HttpClient::default()).replay(HttpReplay::default())
    }

    /// For gRPC; see [`Grpc`].
    pub fn grpc(self) -> FallbackLayer<I, Grpc, HttpReplay> {
        self.protocol(Grpc::default()).replay(HttpReplay::default())
    }
}

#[cfg(feature = "http")]
impl<I, P, M> FallbackLayer<I, P, HttpReplay<M>> {
    /// Turns the body that both services get, where another gets the same request, into one that they want, as
    /// with `.rebody(axum::body::Body::new)` or `.rebody(tonic::body::Body::new)`.
    pub fn rebody<N>(self, rebody: N) -> FallbackLayer<I, P, HttpReplay<N>> {
        let Self { fallback, instead, protocol, replay } = self;
        FallbackLayer { fallback, instead, protocol, replay: replay.rebody(rebody) }
    }

    /// Keeps at most this many bytes of a request's body for another service (default 64 KiB); a call whose
    /// body is longer is not covered.
    #[must_use]
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.replay = self.replay.max_buffered(bytes);
        self
    }
}

impl<S, I: Clone, P: Clone, R: Clone> Layer<S> for FallbackLayer<I, P, R> {
    type Service = FallbackService<S, P, R, I>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { fallback, instead, protocol, replay } = self.clone();
        FallbackService::new(inner, fallback, protocol, replay, instead)
    }
}

crate::registry::member!([I, P, R] FallbackLayer<I, P, R>, fallback);
