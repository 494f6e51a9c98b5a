//! Health as gRPC asks for it: the service `grpc.health.v1.Health`, fed from a registry.
//!
//! For gRPC servers: clients that balance, proxies and orchestrators ask it. HTTP is asked by
//! [`HealthLayer`](portcullis::HealthLayer) instead. tonic-health's own service has to be told each status by hand;
//! this one looks at the policies.
//!
//! ```
//! use echo_proto::{echo_server::EchoServer, service::EchoService};
//! use portcullis::{Drain, Health, Registry};
//! use portcullis_tonic::health::GrpcHealth;
//! use tonic::transport::Server;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! let registry = Registry::new();
//! let health = Health::new(&registry);
//! let drain = Drain::builder("echo").health(&health).registry(&registry).build()?;
//! let grpc = GrpcHealth::new(&health, &registry).service::<EchoServer<EchoService>>().drain(&drain);
//! assert_eq!(grpc.is_serving("echo.v1.Echo"), Some(true));
//! assert_eq!(grpc.is_serving("other.v1.Other"), None);
//!
//! let router = Server::builder().add_service(grpc.clone().into_server());
//! drain.begin();
//! assert_eq!(grpc.is_serving("echo.v1.Echo"), Some(false));
//! # drop(router);
//! # Ok(()) }
//! ```
//!
//! # What is answered
//!
//! | state | `Check` | `Watch` |
//! |---|---|---|
//! | ready, and not critical | `SERVING` | the same, and each change of it |
//! | critical, not ready, or draining | `NOT_SERVING` | the same |
//! | a service that nobody knows | `NOT_FOUND` | `SERVICE_UNKNOWN` |
//! | new work is refused | `UNAVAILABLE`, by the drain's layer | `NOT_SERVING`, then it ends with `UNAVAILABLE` |
//!
//! The empty name stands for the whole server. Other services are as the whole is, or as
//! [policies of theirs](GrpcHealth::service_of) are.
//!
//! Who watches is told when a policy tells a change, and [`Health::set_ready`] one, and looks by itself every second for
//! what nobody tells, such as a rate limit that is spent. There is no task: who watches does so by its own call, and what listens to the policies goes
//! with the last handle.

mod check;
mod service;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

use portcullis::{
    Drain, Health, Level, Registry,
    drain::Phase,
    event::{Interest, Subscription},
};
use tokio::sync::watch;
use tonic::server::NamedService;
use tonic_health::pb::health_server::HealthServer;

pub use check::GrpcCheck;
pub use service::WatchStream;

/// The service `grpc.health.v1.Health`: a cheap handle.
#[derive(Clone)]
pub struct GrpcHealth(Arc<Shared>);

#[derive(Clone)]
struct Rules {
    health: Health,
    registry: Registry,
    drain: Option<Drain>,
    services: BTreeMap<String, Own>,
}

/// What a service depends on, besides the whole.
#[derive(Clone, Debug, Default)]
struct Own {
    policies: Vec<String>,
    down_at: Level,
}

struct Shared {
    rules: Rules,
    /// Moves when something may have changed.
    changes: Arc<watch::Sender<()>>,
    /// Made for the first who watches.
    listener: OnceLock<Subscription>,
}

impl GrpcHealth {
    /// The whole server, by the empty name: as `health` says, told of changes by this registry.
    pub fn new(health: &Health, registry: &Registry) -> Self {
        Self::of(Rules {
            health: health.clone(),
            registry: registry.clone(),
            drain: None,
            services: BTreeMap::from([(String::new(), Own::default())]),
        })
    }

    fn of(rules: Rules) -> Self {
        let changes = Arc::new(watch::Sender::new(()));
        Self(Arc::new(Shared { rules, changes, listener: OnceLock::new() }))
    }

    fn with(self, change: impl FnOnce(&mut Rules)) -> Self {
        let mut rules = self.0.rules.clone();
        change(&mut rules);
        Self::of(rules)
    }

    /// This service, too; it is as the whole is.
    #[must_use]
    pub fn service<S: NamedService>(self) -> Self {
        self.service_named(S::NAME)
    }

    /// The same by its full name, such as `"echo.v1.Echo"`.
    #[must_use]
    pub fn service_named(self, name: impl Into<String>) -> Self {
        self.with(|rules| drop(rules.services.insert(name.into(), Own::default())))
    }

    /// This service, too. It does not serve either while one of the policies of these names is as bad as `down_at`, or
    /// worse: with [`Level::Degraded`], while a breaker is open.
    ///
    /// ```
    /// use portcullis::{Breaker, Health, Level, Registry};
    /// use portcullis_tonic::health::GrpcHealth;
    ///
    /// let registry = Registry::new();
    /// let breaker = Breaker::builder("inventory").registry(&registry).build()?;
    /// let health = GrpcHealth::new(&Health::new(&registry), &registry)
    ///     .service_of("shop.v1.Orders", ["inventory"], Level::Degraded);
    /// breaker.trip();
    /// assert_eq!(health.is_serving("shop.v1.Orders"), Some(false));
    /// assert_eq!(health.is_serving(""), Some(true));
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    #[must_use]
    pub fn service_of<I, T>(self, name: impl Into<String>, policies: I, down_at: Level) -> Self
    where
        I: IntoIterator<Item = T>,
        T: Into<String>,
    {
        let own = Own { policies: policies.into_iter().map(Into::into).collect(), down_at };
        self.with(|rules| drop(rules.services.insert(name.into(), own)))
    }

    /// Nothing serves from the beginning of this drain on, and who watches is let go when it refuses, so that no one
    /// who only watches holds it up.
    #[must_use]
    pub fn drain(self, drain: &Drain) -> Self {
        self.with(|rules| rules.drain = Some(drain.clone()))
    }

    /// Whether this service takes calls; `None` when nobody knows it.
    pub fn is_serving(&self, service: &str) -> Option<bool> {
        let Rules { health, registry, drain, services } = &self.0.rules;
        let own = services.get(service)?;
        let drains = drain.as_ref().is_some_and(|drain| drain.phase() > Phase::Serving);
        Some(!drains && health.is_ready() && own.is_up(registry))
    }

    /// The service for tonic's servers.
    pub fn into_server(self) -> HealthServer<Self> {
        HealthServer::new(self)
    }

    /// Whether who watches is to be let go.
    fn is_over(&self) -> bool {
        self.0.rules.drain.as_ref().is_some_and(Drain::is_refusing)
    }

    fn changes(&self) -> watch::Receiver<()> {
        let Shared { rules, changes, listener } = &*self.0;
        listener.get_or_init(|| {
            let changes = changes.clone();
            rules.registry.events().listen(Interest::Changes, move |_| changes.send_replace(()))
        });
        changes.subscribe()
    }
}

impl Own {
    fn is_up(&self, registry: &Registry) -> bool {
        self.policies.is_empty()
            || !registry.snapshot().iter().any(|policy| {
                self.policies.iter().any(|name| **name == *policy.name) && policy.level >= self.down_at
            })
    }
}

impl fmt::Debug for GrpcHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcHealth").field("services", &self.0.rules.services).finish_non_exhaustive()
    }
}
