//! Health on a server: liveness, readiness, and the whole picture, from a registry of policies.
//!
//! [`HealthLayer`] answers three paths itself, without the inner service: also while that is not ready,
//! or while every bulkhead below is full. Put it outermost.
//!
//! | path | answer |
//! |---|---|
//! | `GET /livez` | 200 while the process runs |
//! | `GET /readyz` | 200; 503 when critical, or when [not ready](Health::set_ready) |
//! | `GET /health` | the document; 503 when critical; `?format=text` for people |
//!
//! [Probes](crate::probe) are the document's checks, all other policies stand under `policies`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{Breaker, Health, HealthLayer, Registry};
//! use std::convert::Infallible;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let registry = Registry::new();
//! let breaker = Breaker::builder("inventory").registry(&registry).build()?;
//! let health = Health::new(&registry);
//! let service = ServiceBuilder::new().layer(HealthLayer::new(health.clone())).service(service_fn(
//!     |_: http::Request<String>| async { Ok::<_, Infallible>(http::Response::new(String::from("shop"))) },
//! ));
//!
//! breaker.isolate();
//! let answer = service.oneshot(http::Request::get("/health").body(String::new())?).await?;
//! assert_eq!(answer.status(), 200, "degraded still serves");
//! assert_eq!(health.document()["policies"]["inventory"]["state"], "isolated");
//! # Ok(()) }
//! ```

mod document;
mod layer;
mod service;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use portcullis_core::health::Level;

pub use layer::HealthLayer;
pub use service::{HealthService, ResponseFuture};

use crate::Registry;

/// The health of a service, as its registry tells it: a cheap handle.
#[derive(Clone, Debug)]
pub struct Health(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    registry: Registry,
    ready: AtomicBool,
}

impl Health {
    /// The health of what has joined this registry; ready to begin with.
    pub fn new(registry: &Registry) -> Self {
        Self(Arc::new(Shared { registry: registry.clone(), ready: AtomicBool::new(true) }))
    }

    /// Says whether the service wants traffic; liveness does not change by it.
    pub fn set_ready(&self, ready: bool) {
        self.0.ready.store(ready, Relaxed);
    }

    /// Whether the service wants traffic, and is not critical.
    pub fn is_ready(&self) -> bool {
        self.0.ready.load(Relaxed) && self.level() < Level::Critical
    }

    /// The gravest level of all policies.
    pub fn level(&self) -> Level {
        Level::worst(self.0.registry.policies().iter().map(|policy| policy.snapshot().level))
    }

    fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The whole picture as JSON.
    pub fn document(&self) -> serde_json::Value {
        document::json(&self.registry().snapshot())
    }

    /// The whole picture for people, a line each.
    pub fn text(&self) -> String {
        document::text(&self.registry().snapshot())
    }
}
