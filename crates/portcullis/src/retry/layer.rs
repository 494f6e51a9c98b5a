//! Retries in a tower stack.

#[cfg(feature = "http")]
use ::http::HeaderName;
use tower_layer::Layer;

use super::{Always, CloneReplay, Never, OnlyIf, RetryPolicy, RetryService};
use crate::Boxed;
#[cfg(feature = "http")]
use crate::{Grpc, HttpClient, HttpServer, retry::HttpReplay};

/// Makes calls of a service again, by a [`RetryPolicy`].
///
/// The protocol is [`Boxed`] unless another is chosen, and requests are cloned; with a protocol for HTTP
/// they are buffered. The inner service must be `Clone`, because each further attempt needs an instance
/// of its own.
#[derive(Clone, Debug)]
pub struct RetryLayer<P = Boxed, R = CloneReplay, I = Never, K = RetryPolicy> {
    policies: K,
    protocol: P,
    replay: R,
    idempotency: I,
}

impl RetryLayer {
    /// A layer of this policy.
    ///
    /// Over HTTP and gRPC it wants `.http_client()`, `.http_server()` or `.grpc()` besides. It often compiles
    /// without them, but then every response is a success, whatever its status, and no request is known to be
    /// idempotent.
    pub fn new(policy: RetryPolicy) -> Self {
        Self::by(policy)
    }
}

impl<K> RetryLayer<Boxed, CloneReplay, Never, K> {
    /// A layer that picks the policy of each request; see [`Policies`](super::Policies).
    pub fn by(policies: K) -> Self {
        Self { policies, protocol: Boxed::default(), replay: CloneReplay, idempotency: Never }
    }
}

impl<P, R, I, K> RetryLayer<P, R, I, K> {
    /// The same layer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> RetryLayer<Q, R, I, K> {
        let Self { policies, replay, idempotency, .. } = self;
        RetryLayer { policies, protocol, replay, idempotency }
    }

    /// The same layer with another way to send a request again; see [`Replay`](super::Replay).
    pub fn replay<T>(self, replay: T) -> RetryLayer<P, T, I, K> {
        let Self { policies, protocol, idempotency, .. } = self;
        RetryLayer { policies, protocol, replay, idempotency }
    }

    /// Takes every request for idempotent: one that may have been processed is sent again.
    pub fn idempotent(self) -> RetryLayer<P, R, Always, K> {
        self.with_idempotency(Always)
    }

    /// Takes the requests for idempotent of which `is_idempotent` says so, besides those that say so
    /// themselves.
    pub fn idempotent_if<Req, F>(self, is_idempotent: F) -> RetryLayer<P, R, F, K>
    where
        F: Fn(&Req) -> bool,
    {
        self.with_idempotency(is_idempotent)
    }

    /// Retries only requests of which `applies` says so, such as those to a host; the others are sent once.
    ///
    /// ```
    /// use portcullis::{RetryLayer, RetryPolicy};
    ///
    /// let layer = RetryLayer::new(RetryPolicy::new("catalog"))
    ///     .http_client()
    ///     .only_if(|request: &http::Request<()>| request.uri().host() == Some("catalog.internal"));
    /// # let _ = layer;
    /// ```
    pub fn only_if<Req, F>(self, applies: F) -> RetryLayer<P, R, I, OnlyIf<K, F>>
    where
        F: Fn(&Req) -> bool,
    {
        let Self { policies, protocol, replay, idempotency } = self;
        RetryLayer { policies: OnlyIf { policies, applies }, protocol, replay, idempotency }
    }

    fn with_idempotency<J>(self, idempotency: J) -> RetryLayer<P, R, J, K> {
        let Self { policies, protocol, replay, .. } = self;
        RetryLayer { policies, protocol, replay, idempotency }
    }

    /// For services with an error type of their own; see [`Typed`](crate::Typed).
    pub fn typed(self) -> RetryLayer<crate::Typed, R, I, K> {
        self.protocol(crate::Typed::default())
    }
}

#[cfg(feature = "http")]
impl<P, R, I, K> RetryLayer<P, R, I, K> {
    /// For HTTP servers; see [`HttpServer`]. The inner service gets a
    /// [`ReplayBody`](super::ReplayBody); an axum router wants `.rebody(axum::body::Body::new)` besides.
    pub fn http_server(self) -> RetryLayer<HttpServer, HttpReplay, I, K> {
        self.protocol(HttpServer::default()).replay(HttpReplay::default())
    }

    /// For HTTP clients; see [`HttpClient`]. The inner service gets a [`ReplayBody`](super::ReplayBody) of the
    /// body that the caller sends: a client that is given a type by hand is a
    /// `Client<HttpConnector, ReplayBody<Full<Bytes>>>`, where callers send a `Full<Bytes>`. Of one that is made
    /// for another body the compiler says that the bounds of the method `ready` were not satisfied.
    pub fn http_client(self) -> RetryLayer<HttpClient, HttpReplay, I, K> {
        self.protocol(HttpClient::default()).replay(HttpReplay::default())
    }

    /// For gRPC; see [`Grpc`]. The inner service gets a [`ReplayBody`](super::ReplayBody); a tonic channel
    /// wants `.rebody(tonic::body::Body::new)` besides. No gRPC call says of itself that it is idempotent:
    /// without [`idempotent_if`](Self::idempotent_if), only calls that were never begun are made again.
    pub fn grpc(self) -> RetryLayer<Grpc, HttpReplay, I, K> {
        self.protocol(Grpc::default()).replay(HttpReplay::default())
    }
}

#[cfg(feature = "http")]
impl<P, M, I, K> RetryLayer<P, HttpReplay<M>, I, K> {
    /// Turns the body that is sent into one that the inner service wants, as with
    /// `.rebody(axum::body::Body::new)` or `.rebody(tonic::body::Body::new)`.
    pub fn rebody<N>(self, rebody: N) -> RetryLayer<P, HttpReplay<N>, I, K> {
        let Self { policies, protocol, replay, idempotency } = self;
        RetryLayer { policies, protocol, replay: replay.rebody(rebody), idempotency }
    }

    /// Tells in this header of every attempt after the first how many were made before it (default: none
    /// does; gRPC's own header is written anyway).
    #[must_use]
    pub fn attempt_header(mut self, name: HeaderName) -> Self {
        self.replay = self.replay.attempt_header(name);
        self
    }

    /// Lets a balancer below know which endpoints were tried, so that it avoids the one that just failed; see
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

impl<S, P, R, I, K> Layer<S> for RetryLayer<P, R, I, K>
where
    K: Clone,
    P: Clone,
    R: Clone,
    I: Clone,
{
    type Service = RetryService<S, P, R, I, K>;

    fn layer(&self, inner: S) -> Self::Service {
        RetryService {
            inner,
            policies: self.policies.clone(),
            protocol: self.protocol.clone(),
            replay: self.replay.clone(),
            idempotency: self.idempotency.clone(),
        }
    }
}

crate::registry::member!([P, R, I, K: crate::registry::Member] RetryLayer<P, R, I, K>, policies);
