//! A probe through the service that it watches.

use portcullis_core::Verdict;
use tokio::runtime::Handle;
use tower_layer::Layer;
use tower_service::Service;

use super::{Probe, ProbeService, task::Answer};
use crate::{Boxed, Protocol};

/// Probes a dependency through the service that leads to it; calls pass by unchanged.
///
/// `request` makes the request of each probe; how its answer is judged is up to the protocol, as far as
/// the head of the answer tells. A probe that is refused on its way, as by a bulkhead below, says nothing.
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
pub struct ProbeLayer<F, P = Boxed> {
    probe: Probe,
    request: F,
    runtime: Option<Handle>,
    protocol: P,
}

impl<F> ProbeLayer<F> {
    /// A layer of this probe, which sends what `request` makes.
    pub fn new(probe: Probe, request: F) -> Self {
        Self { probe, request, runtime: None, protocol: Boxed::default() }
    }
}

impl<F, P> ProbeLayer<F, P> {
    /// Runs the probe on this runtime, for stacks that are put together outside one.
    #[must_use]
    pub fn runtime(mut self, runtime: &Handle) -> Self {
        self.runtime = Some(runtime.clone());
        self
    }

    /// The same layer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> ProbeLayer<F, Q> {
        let Self { probe, request, runtime, .. } = self;
        ProbeLayer { probe, request, runtime, protocol }
    }

    /// For services with an error type of their own; see [`Typed`](crate::Typed).
    pub fn typed(self) -> ProbeLayer<F, crate::Typed> {
        self.protocol(crate::Typed::default())
    }
}

#[cfg(feature = "http")]
impl<F, P> ProbeLayer<F, P> {
    /// For HTTP servers; see [`HttpServer`](crate::HttpServer).
    pub fn http_server(self) -> ProbeLayer<F, crate::HttpServer> {
        self.protocol(crate::HttpServer::default())
    }

    /// For HTTP clients; see [`HttpClient`](crate::HttpClient).
    pub fn http_client(self) -> ProbeLayer<F, crate::HttpClient> {
        self.protocol(crate::HttpClient::default())
    }

    /// For gRPC; see [`Grpc`](crate::Grpc).
    pub fn grpc(self) -> ProbeLayer<F, crate::Grpc> {
        self.protocol(crate::Grpc::default())
    }
}

impl<S, F, P, Req> Layer<S> for ProbeLayer<F, P>
where
    F: Fn() -> Req + Clone + Send + 'static,
    S: Service<Req> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    S::Error: Send,
    P: Protocol<Req, S::Response, S::Error> + Clone + Send + 'static,
    P::Context: Send,
    P::Error: Send,
    Req: Send + 'static,
{
    type Service = ProbeService<S>;

    fn layer(&self, inner: S) -> ProbeService<S> {
        let (request, protocol, service) = (self.request.clone(), self.protocol.clone(), inner.clone());
        let runtime = self.runtime.clone().or_else(|| Handle::try_current().ok());
        self.probe.start(runtime, move || ask(service.clone(), request(), protocol.clone()));
        ProbeService::new(inner, self.probe.clone())
    }
}

/// One probe.
async fn ask<S, Req, P>(mut service: S, request: Req, protocol: P) -> Answer
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    let context = protocol.context(&request);
    let result = match std::future::poll_fn(|cx| service.poll_ready(cx)).await {
        Ok(()) => service.call(request).await,
        Err(error) => Err(error),
    };
    let verdict = match result {
        Ok(response) => protocol.judge(&context, &response),
        Err(error) => Some(protocol.judge_error(&protocol.lift(error))),
    };
    match verdict {
        Some(Verdict::Failure(failure)) => Answer::Failed(failure.kind.as_str().into()),
        Some(Verdict::Ignored) => Answer::Refused("refused or cancelled on its way".into()),
        Some(Verdict::Success) | None => Answer::Well,
    }
}
