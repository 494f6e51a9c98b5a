//! Retries in a tower stack.

use tower_layer::Layer;

use super::{Always, CloneReplay, Never, RetryPolicy, RetryService};
use crate::Boxed;
#[cfg(feature = "http")]
use crate::{Grpc, HttpClient, HttpServer, retry::HttpReplay};

/// Makes calls of a service again, by a [`RetryPolicy`].
///
/// The protocol is [`Boxed`] unless another is chosen, and requests are cloned; with a protocol for HTTP
/// they are buffered. The inner service must be `Clone`, because each further attempt needs an instance
/// of its own.
#[derive(Clone, Debug)]
pub struct RetryLayer<P = Boxed, R = CloneReplay, I = Never> {
    policy: RetryPolicy,
    protocol: P,
    replay: R,
    idempotency: I,
}

impl RetryLayer {
    /// A layer of this policy.
    pub fn new(policy: RetryPolicy) -> Self {
        Self { policy, protocol: Boxed::default(), replay: CloneReplay, idempotency: Never }
    }
}

impl<P, R, I> RetryLayer<P, R, I> {
    /// The same layer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> RetryLayer<Q, R, I> {
        let Self { policy, replay, idempotency, .. } = self;
        RetryLayer { policy, protocol, replay, idempotency }
    }

    /// The same layer with another way to send a request again; see [`Replay`](super::Replay).
    pub fn replay<T>(self, replay: T) -> RetryLayer<P, T, I> {
        let Self { policy, protocol, idempotency, .. } = self;
        RetryLayer { policy, protocol, replay, idempotency }
    }

    /// Takes every request for idempotent: one that may have been processed is sent again.
    pub fn idempotent(self) -> RetryLayer<P, R, Always> {
        self.with_idempotency(Always)
    }

    /// Takes the requests for idempotent of which `is_idempotent` says so, besides those that say so
    /// themselves.
    pub fn idempotent_if<Req, F>(self, is_idempotent: F) -> RetryLayer<P, R, F>
    where
        F: Fn(&Req) -> bool,
    {
        self.with_idempotency(is_idempotent)
    }

    fn with_idempotency<J>(self, idempotency: J) -> RetryLayer<P, R, J> {
        let Self { policy, protocol, replay, .. } = self;
        RetryLayer { policy, protocol, replay, idempotency }
    }

    /// For services with an error type of their own; see [`Typed`](crate::Typed).
    pub fn typed(self) -> RetryLayer<crate::Typed, R, I> {
        self.protocol(crate::Typed::default())
    }
}

#[cfg(feature = "http")]
impl<P, R, I> RetryLayer<P, R, I> {
    /// For HTTP servers; see [`HttpServer`]. The inner service gets a
    /// [`ReplayBody`](super::ReplayBody); an axum router wants `.rebody(axum::body::Body::new)` besides.
    pub fn http_server(self) -> RetryLayer<HttpServer, HttpReplay, I> {
        self.protocol(HttpServer::default()).replay(HttpReplay::default())
    }

    /// For HTTP clients; see [`HttpClient`].
    pub fn http_client(self) -> RetryLayer<HttpClient, HttpReplay, I> {
        self.protocol(HttpClient::default()).replay(HttpReplay::default())
    }

    /// For gRPC; see [`Grpc`]. The inner service gets a [`ReplayBody`](super::ReplayBody); a tonic channel
    /// wants `.rebody(tonic::body::Body::new)` besides. No gRPC call says of itself that it is idempotent:
    /// without [`idempotent_if`](Self::idempotent_if), only calls that were never begun are made again.
    pub fn grpc(self) -> RetryLayer<Grpc, HttpReplay, I> {
        self.protocol(Grpc::default()).replay(HttpReplay::default())
    }
}

#[cfg(feature = "http")]
impl<P, M, I> RetryLayer<P, HttpReplay<M>, I> {
    /// Turns the body that is sent into one that the inner service wants, as with
    /// `.rebody(axum::body::Body::new)` or `.rebody(tonic::body::Body::new)`.
    pub fn rebody<N>(self, rebody: N) -> RetryLayer<P, HttpReplay<N>, I> {
        let Self { policy, protocol, replay, idempotency } = self;
        RetryLayer { policy, protocol, replay: replay.rebody(rebody), idempotency }
    }

    /// Keeps at most this many bytes of a request's body (default 64 KiB); longer ones are sent once.
    #[must_use]
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.replay = self.replay.max_buffered(bytes);
        self
    }
}

impl<S, P, R, I> Layer<S> for RetryLayer<P, R, I>
where
    P: Clone,
    R: Clone,
    I: Clone,
{
    type Service = RetryService<S, P, R, I>;

    fn layer(&self, inner: S) -> Self::Service {
        RetryService {
            inner,
            policy: self.policy.clone(),
            protocol: self.protocol.clone(),
            replay: self.replay.clone(),
            idempotency: self.idempotency.clone(),
        }
    }
}
