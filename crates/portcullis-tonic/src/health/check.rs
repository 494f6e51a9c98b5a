//! Asking another server for its health.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use portcullis::{
    BoxError,
    check::{Ask, Reading},
};
use tonic::{
    body::Body,
    client::GrpcService,
    codegen::{Body as HttpBody, Bytes, StdError},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

/// A [check](portcullis::check) that asks a server by `grpc.health.v1.Health/Check`, for a
/// [`HealthMonitor`](portcullis::HealthMonitor) or a [`Probe`](portcullis::Probe).
///
/// It goes through any channel, with whatever layers that has, of which each sees it as any other call: a breaker
/// counts it, and may refuse it, which says nothing about the server.
///
/// ```
/// use portcullis::{HealthMonitor, Registry};
/// use portcullis_tonic::health::GrpcCheck;
/// use tonic::transport::Endpoint;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::ConfigError> {
/// let channel = Endpoint::from_static("http://127.0.0.1:50051").connect_lazy();
/// let monitor = HealthMonitor::new(&Registry::new());
/// monitor.check("orders").spawn(GrpcCheck::new(channel, "shop.v1.Orders"))?;
/// # Ok(()) }
/// ```
pub struct GrpcCheck<S> {
    /// Locked to be cloned, so that it need not be shared between threads.
    channel: Mutex<S>,
    service: String,
}

impl<S> GrpcCheck<S> {
    /// Asks over this channel for this service; the empty name stands for the whole server.
    pub fn new(channel: S, service: impl Into<String>) -> Self {
        Self { channel: Mutex::new(channel), service: service.into() }
    }
}

impl<S> Ask for GrpcCheck<S>
where
    S: GrpcService<Body> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<StdError> + Send,
    S::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    <S::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
{
    async fn ask(&self) -> Result<Reading, BoxError> {
        let channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let request = HealthCheckRequest { service: self.service.clone() };
        let status = HealthClient::new(channel).check(request).await?.into_inner().status;
        match ServingStatus::try_from(status) {
            Ok(ServingStatus::Serving) => Ok(().into()),
            Ok(other) => Err(other.as_str_name().into()),
            Err(_unknown) => Err(format!("the unknown status {status}").into()),
        }
    }
}

impl<S> fmt::Debug for GrpcCheck<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcCheck").field("service", &self.service).finish_non_exhaustive()
    }
}
