//! Hedging in a tower stack.

use tower_layer::Layer;

use super::{Hedge, HedgeService, OnlyIf};
use crate::{
    Boxed, Typed,
    replay::{Always, CloneReplay, Never},
};
#[cfg(feature = "http")]
use crate::{Grpc, HttpClient, HttpServer, replay::HttpReplay};

/// Sends requests of a service once more when they take long, by a [`Hedge`].
///
/// The protocol is [`Boxed`] unless another is chosen, and requests are cloned; with a protocol for HTTP
/// they are buffered. The inner service must be `Clone`, because each further attempt needs an instance
/// of its own.
///
/// **Nothing is hedged** that may not be processed twice: see [`idempotent`](Self::idempotent).
#[derive(Clone, Debug)]
pub struct HedgeLayer<P = Boxed, R = CloneReplay, I = Never, K = Hedge> {
    policies: K,
    protocol: P,
    replay: R,
    idempotency: I,
}

impl HedgeLayer {
    /// A layer of this hedge.
    ///
    /// Over HTTP and gRPC it wants `.http_client()`, `.http_server()` or `.grpc()` besides. It often compiles
    /// without them, but then every response is an answer, whatever its status, and no request is known to be
    /// idempotent.
    pub fn new(hedge: Hedge) -> Self {
        Self::by(hedge)
    }
}

impl<K> HedgeLayer<Boxed, CloneReplay, Never, K> {
    /// A layer that picks the hedge of each request; see [`Policies`](super::Policies).
    pub fn by(policies: K) -> Self {
        Self { policies, protocol: Boxed::default(), replay: CloneReplay, idempotency: Never }
    }
}

impl<P, R, I, K> HedgeLayer<P, R, I, K> {
    /// The same layer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> HedgeLayer<Q, R, I, K> {
        let Self { policies, replay, idempotency, .. } = self;
        HedgeLayer { policies, protocol, replay, idempotency }
    }

    /// The same layer with another way to send a request again; see [`Replay`](crate::replay::Replay).
    pub fn replay<T>(self, replay: T) -> HedgeLayer<P, T, I, K> {
        let Self { policies, protocol, idempotency, .. } = self;
        HedgeLayer { policies, protocol, replay, idempotency }
    }

    /// Takes every request for idempotent: two attempts of it may run at once.
    pub fn idempotent(self) -> HedgeLayer<P, R, Always, K> {
        self.with_idempotency(Always)
    }

    /// Takes the requests for idempotent of which `is_idempotent` says so, besides those that say so
    /// themselves.
    pub fn idempotent_if<Req, F>(self, is_idempotent: F) -> HedgeLayer<P, R, F, K>
    where
        F: Fn(&Req) -> bool,
    {
        self.with_idempotency(is_idempotent)
    }

    /// Hedges only requests of which `applies` says so, such as those to a host; the others are sent once.
    ///
    /// ```
    /// use portcullis::{Hedge, HedgeLayer};
    ///
    /// let layer = HedgeLayer::new(Hedge::new("catalog"))
    ///     .http_client()
    ///     .only_if(|request: &http::Request<()>| request.uri().host() == Some("catalog.internal"));
    /// # let _ = layer;
    /// ```
    pub fn only_if<Req, F>(self, applies: F) -> HedgeLayer<P, R, I, OnlyIf<K, F>>
    where
        F: Fn(&Req) -> bool,
    {
        let Self { policies, protocol, replay, idempotency } = self;
        HedgeLayer { policies: OnlyIf { policies, applies }, protocol, replay, idempotency }
    }

    fn with_idempotency<J>(self, idempotency: J) -> HedgeLayer<P, R, J, K> {
        let Self { policies, protocol, replay, .. } = self;
        HedgeLayer { policies, protocol, replay, idempotency }
    }

    /// For services with an error type of their own; see [`Typed`].
    pub fn typed(self) -> HedgeLayer<Typed, R, I, K> {
        self.protocol(Typed::default())
    }
}

#[cfg(feature = "http")]
impl<P, R, I, K> HedgeLayer<P, R, I, K> {
    /// For HTTP servers, such as gateways; see [`HttpServer`]. The inner service gets a
    /// [`ReplayBody`](crate::replay::ReplayBody); an axum router wants `.rebody(axum::body::Body::new)`
    /// besides.
    pub fn http_server(self) -> HedgeLayer<HttpServer, HttpReplay, I, K> {
        self.protocol(HttpServer::default()).replay(HttpReplay::default())
    }

    /// For HTTP clients; see [`HttpClient`]. The inner service gets a [`ReplayBody`](crate::replay::ReplayBody).
    pub fn http_client(self) -> HedgeLayer<HttpClient, HttpReplay, I, K> {
        self.protocol(HttpClient::default()).replay(HttpReplay::default())
    }

    /// For gRPC; see [`Grpc`]. The inner service gets a [`ReplayBody`](crate::replay::ReplayBody); a tonic
    /// channel wants `.rebody(tonic::body::Body::new)` besides. No gRPC call says of itself that it is
    /// idempotent: without [`idempotent_if`](Self::idempotent_if), none is hedged.
    ///
    /// The head of a response is the answer, unless it has a status of its own; the streams of the other
    /// attempts are dropped then.
    pub fn grpc(self) -> HedgeLayer<Grpc, HttpReplay, I, K> {
        self.protocol(Grpc::default()).replay(HttpReplay::default())
    }
}

#[cfg(feature = "http")]
impl<P, M, I, K> HedgeLayer<P, HttpReplay<M>, I, K> {
    /// Turns the body that is sent into one that the inner service wants, as with
    /// `.rebody(axum::body::Body::new)` or `.rebody(tonic::body::Body::new)`.
    pub fn rebody<N>(self, rebody: N) -> HedgeLayer<P, HttpReplay<N>, I, K> {
        let Self { policies, protocol, replay, idempotency } = self;
        HedgeLayer { policies, protocol, replay: replay.rebody(rebody), idempotency }
    }

    /// Tells in this header of every attempt after the first how many were sent before it (default: none
    /// does; gRPC's own header is written anyway).
    #[must_use]
    pub fn attempt_header(mut self, name: http::HeaderName) -> Self {
        self.replay = self.replay.attempt_header(name);
        self
    }

    /// Lets a balancer below know which endpoints were tried, so that a hedge goes to another; see
    /// [`Tried`](crate::protocol::Tried) (default: off).
    #[must_use]
    pub fn avoid_tried(mut self) -> Self {
        self.replay = self.replay.avoid_tried();
        self
    }

    /// Keeps at most this many bytes of a request's body (default 64 KiB); longer ones are sent once.
    #[must_use]
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.replay = self.replay.max_buffered(bytes);
        self
    }
}

impl<S, P, R, I, K> Layer<S> for HedgeLayer<P, R, I, K>
where
    K: Clone,
    P: Clone,
    R: Clone,
    I: Clone,
{
    type Service = HedgeService<S, P, R, I, K>;

    fn layer(&self, inner: S) -> Self::Service {
        HedgeService {
            inner,
            policies: self.policies.clone(),
            protocol: self.protocol.clone(),
            replay: self.replay.clone(),
            idempotency: self.idempotency.clone(),
        }
    }
}

crate::registry::member!([P, R, I, K: crate::registry::Member] HedgeLayer<P, R, I, K>, policies);
