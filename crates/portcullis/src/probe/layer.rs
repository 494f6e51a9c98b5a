//! A probe through the service that it watches.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::Verdict;
use tokio::runtime::Handle;
use tower_layer::Layer;
use tower_service::Service;

use super::{Head, Probe, ProbeService, Reads};
use crate::{
    BoxError, Boxed, Protocol,
    check::{Ask, Reading, Refused},
    protocol::layer::protocol_shorthands,
};

/// Probes a dependency through the service that leads to it; calls pass by unchanged.
///
/// `request` makes the request of each probe; how its answer is judged is up to the protocol, as far as
/// the head of the answer tells, and to whoever [reads](Self::reading) it. A probe that is refused on its way, as by a
/// bulkhead below, says nothing. So put it below the breaker that it drives: above, no probe would pass while that is open.
/// The probe starts when the layer is first put in front of a service, on
/// the current tokio runtime or on the one it was [given](Self::runtime), and asks that service. It stops
/// when the last service, layer and handle are dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// use portcullis::{Probe, ProbeLayer};
/// use std::{convert::Infallible, time::Duration};
/// use tower::{ServiceBuilder, service_fn};
///
/// let probe = Probe::builder("shop").build()?;
/// let layer = ProbeLayer::new(probe.clone(), || http::Request::get("/livez").body(String::new()).unwrap());
/// let service = ServiceBuilder::new().layer(layer.http_server()).service(service_fn(
///     |_: http::Request<String>| async {
///         let busy = http::Response::builder().status(503).body(String::new());
///         Ok::<_, Infallible>(busy.unwrap())
///     },
/// ));
/// # let _ = service;
///
/// tokio::time::sleep(Duration::from_secs(20)).await;
/// assert!(!probe.status().up);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ProbeLayer<F, R = Head, P = Boxed> {
    probe: Probe,
    request: F,
    runtime: Option<Handle>,
    reads: R,
    protocol: P,
}

impl<F> ProbeLayer<F> {
    /// A layer of this probe, which sends what `request` makes.
    pub fn new(probe: Probe, request: F) -> Self {
        Self { probe, request, runtime: None, reads: Head, protocol: Boxed::default() }
    }
}

impl<F, R, P> ProbeLayer<F, R, P> {
    /// Runs the probe on this runtime, for stacks that are put together outside one.
    #[must_use]
    pub fn runtime(mut self, runtime: &Handle) -> Self {
        self.runtime = Some(runtime.clone());
        self
    }

    /// Reads the answers of probes whose head is good, such as a status in their body; it counts towards the time
    /// limit.
    ///
    /// ```
    /// use portcullis::{BoxError, Probe, ProbeLayer};
    ///
    /// let probe = Probe::builder("replica").build()?;
    /// let layer = ProbeLayer::new(probe, || "lag?").reading(|lag: u32| async move {
    ///     if lag < 100 { Ok(()) } else { Err(BoxError::from("too far behind")) }
    /// });
    /// # let _ = layer;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn reading<Q>(self, reads: Q) -> ProbeLayer<F, Q, P> {
        let Self { probe, request, runtime, protocol, .. } = self;
        ProbeLayer { probe, request, runtime, reads, protocol }
    }
}

protocol_shorthands!(ProbeLayer<F, R>, probe, request, runtime, reads);

impl<S, F, R, P, Req> Layer<S> for ProbeLayer<F, R, P>
where
    F: Fn() -> Req + Clone + Send + 'static,
    S: Service<Req> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    S::Error: Send,
    R: Reads<S::Response> + Clone + Send + 'static,
    P: Protocol<Req, S::Response, S::Error> + Clone + Send + 'static,
    P::Context: Send,
    P::Error: Send,
    Req: Send + 'static,
{
    type Service = ProbeService<S>;

    fn layer(&self, inner: S) -> ProbeService<S> {
        let parts = (inner.clone(), self.request.clone(), self.reads.clone(), self.protocol.clone());
        let runtime = self.runtime.clone().or_else(|| Handle::try_current().ok());
        self.probe.start(runtime, Arc::new(Through(Mutex::new(parts))));
        ProbeService::new(inner, self.probe.clone())
    }
}

/// A check through a service: it, what makes requests, what reads answers, and the protocol. Locked to be cloned, so
/// that none of them need be shared between threads.
struct Through<S, F, R, P>(Mutex<(S, F, R, P)>);

impl<S, F, R, P, Req> Ask for Through<S, F, R, P>
where
    F: Fn() -> Req + Clone + Send + 'static,
    S: Service<Req> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    S::Error: Send,
    R: Reads<S::Response> + Clone + Send + 'static,
    P: Protocol<Req, S::Response, S::Error> + Clone + Send + 'static,
    P::Context: Send,
    P::Error: Send,
    Req: Send + 'static,
{
    async fn ask(&self) -> Result<Reading, BoxError> {
        let (mut service, request, reads, protocol) = self.parts();
        let request = request();
        let context = protocol.context(&request);
        let result = match std::future::poll_fn(|cx| service.poll_ready(cx)).await {
            Ok(()) => service.call(request).await,
            Err(error) => Err(error),
        };
        let (verdict, response) = match result {
            Ok(response) => (protocol.judge(&context, &response), Some(response)),
            Err(error) => (Some(protocol.judge_error(&protocol.lift(error))), None),
        };
        match (verdict, response) {
            (Some(Verdict::Failure(failure)), _) => Err(failure.kind.as_str().into()),
            (Some(Verdict::Ignored), _) => Err(Box::new(Refused)),
            (_, Some(response)) => reads.read(response).await,
            (_, None) => Ok(().into()),
        }
    }
}

impl<S: Clone, F: Clone, R: Clone, P: Clone> Through<S, F, R, P> {
    fn parts(&self) -> (S, F, R, P) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
