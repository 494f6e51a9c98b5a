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
//! [Checks of a monitor](crate::monitor) and [probes](crate::probe) are the document's checks, all other policies
//! stand under `policies`. What they make of the whole is up to the registry's
//! [rules](Registry::set_health_rules). Whoever asks runs no check: what is told is what each found last.
//!
//! Liveness looks at nothing: a process is not killed because its database is down, or its bulkheads are full.
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

use std::{future::Future, sync::Arc};

use portcullis_core::health::Level;
use tokio::sync::watch;

pub use layer::HealthLayer;
pub use service::{HealthService, ResponseFuture};

use crate::{HealthMonitor, Registry, registry::Snapshot};

/// The health of a service, as its registry tells it: a cheap handle.
#[derive(Clone, Debug)]
pub struct Health(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    registry: Registry,
    monitor: Option<HealthMonitor>,
    ready: watch::Sender<bool>,
}

impl Health {
    /// The health of what has joined this registry; ready to begin with.
    pub fn new(registry: &Registry) -> Self {
        Self::with(registry, None)
    }

    /// The health of a monitor's registry, which keeps the monitor's checks going. Checks that only run where
    /// somebody [asks](crate::monitor::CheckBuilder::on_demand) run after the document was told, if what it told of
    /// them is older than their cache: whoever asks next is told what they found.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use portcullis::{BoxError, Health, HealthMonitor, Registry};
    ///
    /// let monitor = HealthMonitor::new(&Registry::new());
    /// monitor.check("database").critical(true).spawn(|| async { Err::<(), _>(BoxError::from("no route to host")) })?;
    /// monitor.run_now().await;
    ///
    /// let health = Health::of(&monitor);
    /// assert!(!health.is_ready());
    /// assert_eq!(health.document()["checks"]["database"]["message"], "no route to host");
    /// # Ok(()) }
    /// ```
    pub fn of(monitor: &HealthMonitor) -> Self {
        Self::with(monitor.registry(), Some(monitor.clone()))
    }

    fn with(registry: &Registry, monitor: Option<HealthMonitor>) -> Self {
        Self(Arc::new(Shared { registry: registry.clone(), monitor, ready: watch::Sender::new(true) }))
    }

    /// Says whether the service wants traffic; liveness does not change by it.
    pub fn set_ready(&self, ready: bool) {
        self.0.ready.send_if_modified(|now| std::mem::replace(now, ready) != ready);
    }

    /// Ready when [`set_ready`](Self::set_ready) says something else than before; what it said before this was called
    /// does not count. Of the policies' changes the [registry's events](Registry::events) tell.
    pub fn turned(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let mut turns = self.0.ready.subscribe();
        async move {
            if turns.changed().await.is_err() {
                // The last handle is gone: nobody will say anything.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Whether the service wants traffic, and is not critical.
    pub fn is_ready(&self) -> bool {
        *self.0.ready.borrow() && self.level() < Level::Critical
    }

    /// The level of the whole, by the registry's [rules](Registry::set_health_rules).
    pub fn level(&self) -> Level {
        self.0.registry.level()
    }

    fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The whole picture as JSON.
    pub fn document(&self) -> serde_json::Value {
        document::json(&self.look())
    }

    /// The whole picture for people, a line each.
    pub fn text(&self) -> String {
        document::text(&self.look())
    }

    /// Everything there is to see.
    fn look(&self) -> Picture {
        let snapshots = self.registry().snapshot();
        let picture = Picture { overall: self.registry().level_of(&snapshots), snapshots };
        if let Some(monitor) = &self.0.monitor {
            monitor.nudge();
        }
        picture
    }
}

/// Everything at one moment.
struct Picture {
    overall: Level,
    snapshots: Vec<Snapshot>,
}
