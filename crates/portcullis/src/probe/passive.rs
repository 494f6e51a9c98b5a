//! Calls that take part in a probe.

use std::{
    fmt,
    task::{Context, Poll, ready},
};

use portcullis_core::Verdict;
use tower_layer::Layer;
use tower_service::Service;

use super::{Probe, ResponseFuture, policy::Joint};
use crate::{
    Boxed, Protocol, Ticket,
    protocol::{layer::protocol_shorthands, watched},
    shard::{Pinned, Sharded},
};

/// Lets the results of calls join those of a [`Probe`]: they count towards its thresholds as if it had asked itself,
/// so that an outage under load is known before the next probe.
///
/// Calls pass by unchanged. One that is refused below, or dropped, says nothing; of one whose answer goes on, its end
/// counts. While all is well, a call that succeeds costs an atomic load.
///
/// Put it outside the [`ProbeLayer`](super::ProbeLayer) of its probe, or each probe counts twice: as one, and as a
/// call; and below a breaker that the probe feeds. It does not keep the probe: that goes on for as long as there is a
/// handle, or a service of its own layer.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// use portcullis::{BoxError, Probe, probe::PassiveLayer};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// let probe = Probe::builder("shop").down_after(3).build()?;
/// let service = ServiceBuilder::new()
///     .layer(PassiveLayer::new(probe.clone()))
///     .service(service_fn(|()| async { Err::<(), _>(BoxError::from("no answer")) }));
/// for _ in 0..3 {
///     service.clone().oneshot(()).await.unwrap_err();
/// }
/// assert!(!probe.status().up);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PassiveLayer<P = Boxed> {
    probe: Watched,
    protocol: P,
}

impl PassiveLayer {
    /// A layer whose calls take part in this probe.
    pub fn new(probe: Probe) -> Self {
        Self { probe: Watched(probe.joint()), protocol: Boxed::default() }
    }
}

protocol_shorthands!(PassiveLayer, probe);

impl<S, P: Clone> Layer<S> for PassiveLayer<P> {
    type Service = PassiveService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        PassiveService { inner, probe: self.probe.clone(), protocol: self.protocol.clone() }
    }
}

/// The probe that calls take part in.
#[derive(Clone)]
struct Watched(Sharded<Joint>);

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").finish_non_exhaustive()
    }
}

/// A service whose calls take part in a [`Probe`].
#[derive(Clone, Debug)]
pub struct PassiveService<S, P> {
    inner: S,
    probe: Watched,
    protocol: P,
}

impl<S, P, Req> Service<Req> for PassiveService<S, P>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<PassiveTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S::Future, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(ready!(self.inner.poll_ready(cx)).map_err(|error| {
            let error = self.protocol.lift(error);
            self.probe.0.observe(self.protocol.judge_error(&error));
            error
        }))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let (context, protocol) = (self.protocol.context(&request), self.protocol.clone());
        let mut ticket = PassiveTicket(Some(self.probe.0.pin()));
        let inner = watched(&mut ticket, || self.inner.call(request));
        ResponseFuture::running(inner, protocol, context, ticket)
    }
}

/// A call that takes part in a [`Probe`]. Dropped unsettled, it says nothing.
#[must_use = "dropped unsettled, it says nothing"]
pub struct PassiveTicket(Option<Pinned<Joint>>);

impl Ticket for PassiveTicket {
    #[inline]
    fn settle(&mut self, verdict: Verdict) {
        if let Some(probe) = self.0.take() {
            probe.observe(verdict);
        }
    }
}

impl fmt::Debug for PassiveTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PassiveTicket").field(&self.0.is_some()).finish()
    }
}
