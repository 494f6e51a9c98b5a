//! Several services as one.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use portcullis_core::{ConfigError, Mode, Name};
use tower_service::Service;

use super::{FailoverBuilder, FailoverStatus, ResponseFuture, future::Rest, policy::Policies};
use crate::{
    Boxed, Protocol, Typed,
    fallback::Config,
    oneshot::Oneshot,
    registry::Policy,
    replay::{CloneReplay, Replay},
    shard::Sharded,
};
#[cfg(feature = "http")]
use crate::{Grpc, HttpClient, HttpServer, replay::HttpReplay};

/// Several services for one thing, asked in an order.
///
/// Clones share what they count, but not their instances of the services. It is always ready: a call waits for
/// the readiness of the provider that it asks, within that one's timeout. The protocol is [`Boxed`] unless
/// another is chosen, and requests are cloned; with a protocol for HTTP they are buffered.
pub struct Failover<S, R = CloneReplay, P = Boxed> {
    first: S,
    chain: Sharded<Chain<S>>,
    replay: R,
    protocol: P,
    /// The first provider is not ready.
    unready: bool,
}

/// What instances of the providers are made of. Locked only to clone one that a call goes on to.
pub(super) struct Chain<S> {
    templates: Mutex<Vec<S>>,
    pub(super) policies: Arc<Policies>,
    pub(super) len: usize,
}

impl<S> Failover<S> {
    /// A failover to be configured.
    pub fn builder(name: impl Into<Name>) -> FailoverBuilder<S> {
        FailoverBuilder::new(name.into())
    }

    /// The caller has checked that there is a service.
    pub(super) fn of(services: Vec<S>, policies: Arc<Policies>) -> Result<Self, ConfigError>
    where
        S: Clone,
    {
        let Some(first) = services.first().cloned() else {
            return Err(ConfigError::new("failover.providers", "none", "at least one"));
        };
        let len = services.len();
        let chain = Sharded::new(Chain { templates: Mutex::new(services), policies, len });
        Ok(Self { first, chain, replay: CloneReplay, protocol: Boxed::default(), unready: false })
    }
}

impl<S, R, P> Failover<S, R, P> {
    /// The name.
    pub fn name(&self) -> &Name {
        self.chain.policies.name()
    }

    /// The settings.
    pub fn config(&self) -> Arc<Config> {
        self.chain.policies.config()
    }

    /// Changes the settings while calls flow.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.chain.policies.update(|_| config)
    }

    /// Says whether the next provider is asked, or that is only counted.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.chain.policies.set_mode(mode)
    }

    /// Everything there is to see.
    pub fn status(&self) -> FailoverStatus {
        self.chain.policies.status()
    }

    /// The same service with another way to send a request again; see [`Replay`].
    pub fn replay<T>(self, replay: T) -> Failover<S, T, P> {
        let Self { first, chain, protocol, unready, .. } = self;
        Failover { first, chain, replay, protocol, unready }
    }

    /// The same service with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> Failover<S, R, Q> {
        let Self { first, chain, replay, unready, .. } = self;
        Failover { first, chain, replay, protocol, unready }
    }

    /// For services with an error type of their own; see [`Typed`].
    pub fn typed(self) -> Failover<S, R, Typed> {
        self.protocol(Typed::default())
    }
}

#[cfg(feature = "http")]
impl<S, R, P> Failover<S, R, P> {
    /// For HTTP clients; see [`HttpClient`]. The providers get a [`ReplayBody`](crate::replay::ReplayBody).
    pub fn http_client(self) -> Failover<S, HttpReplay, HttpClient> {
        self.protocol(HttpClient::default()).replay(HttpReplay::default())
    }

    /// For HTTP servers, such as gateways; see [`HttpServer`].
    pub fn http_server(self) -> Failover<S, HttpReplay, HttpServer> {
        self.protocol(HttpServer::default()).replay(HttpReplay::default())
    }

    /// For gRPC; see [`Grpc`].
    pub fn grpc(self) -> Failover<S, HttpReplay, Grpc> {
        self.protocol(Grpc::default()).replay(HttpReplay::default())
    }
}

#[cfg(feature = "http")]
impl<S, M, P> Failover<S, HttpReplay<M>, P> {
    /// Turns the body that is sent into one that the providers want, as with
    /// `.rebody(axum::body::Body::new)` or `.rebody(tonic::body::Body::new)`.
    pub fn rebody<N>(self, rebody: N) -> Failover<S, HttpReplay<N>, P> {
        let Self { first, chain, replay, protocol, unready } = self;
        Failover { first, chain, replay: replay.rebody(rebody), protocol, unready }
    }

    /// Keeps at most this many bytes of a request's body (default 64 KiB); a longer one goes to the first
    /// provider alone.
    #[must_use]
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.replay = self.replay.max_buffered(bytes);
        self
    }
}

impl<S: Clone> Chain<S> {
    /// An instance of the provider of this number.
    pub(super) fn instance(&self, provider: usize) -> Option<S> {
        // A clone that panicked has broken nothing.
        self.templates.lock().unwrap_or_else(PoisonError::into_inner).get(provider).cloned()
    }
}

impl<S, R, P, Req> Service<Req> for Failover<S, R, P>
where
    R: Replay<Req> + Clone,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = P::Error;
    type Future = ResponseFuture<S, R, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let first = self.first.poll_ready(cx);
        self.unready = !matches!(first, Poll::Ready(Ok(())));
        if let Poll::Ready(Err(_)) = first {
            // An instance that has failed is not asked again.
            self.first = self.first.clone();
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let (first, kept) = self.replay.first(request);
        let context = self.protocol.context(&first);
        let deadline = self.protocol.deadline(&first);
        let call = Oneshot::new(&mut self.first, !std::mem::take(&mut self.unready), first);
        let (chain, replay) = (self.chain.pin(), self.replay.clone());
        let rest = Rest { chain, replay, kept, deadline, asked: 0 };
        ResponseFuture::new(call, self.protocol.clone(), context, rest)
    }
}

impl<S: Clone, R: Clone, P: Clone> Clone for Failover<S, R, P> {
    fn clone(&self) -> Self {
        Self {
            first: self.first.clone(),
            chain: self.chain.clone(),
            replay: self.replay.clone(),
            protocol: self.protocol.clone(),
            unready: false,
        }
    }
}

impl<S, R, P> fmt::Debug for Failover<S, R, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failover").field("name", self.name()).field("status", &self.status()).finish()
    }
}
