//! The service config's handle.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Release},
        },
    },
};

use portcullis_core::{ConfigError, Name};

use super::{
    ServiceConfigError,
    document::{Document, LONGEST},
    table::{Home, How, Table},
};
use crate::{Hedge, Registry, RetryBudget, RetryPolicy, Timeout, live::Live};

/// The policies of a server's methods, as a gRPC service config has them: a cheap handle. Clones are the
/// same.
#[derive(Clone)]
pub struct ServiceConfig {
    shared: Arc<Shared>,
}

struct Shared {
    server: Name,
    registry: Registry,
    budget: RetryBudget,
    /// Ends calls whose callers said until when they wait, where the document says nothing.
    callers: Timeout,
    table: Live<Table>,
    /// How often there was another table.
    reloads: AtomicU64,
}

impl ServiceConfig {
    /// Reads a service config for the server of this name, with its policies in the global registry.
    ///
    /// # Errors
    ///
    /// The first value that is not allowed.
    pub fn new(server: impl Into<Name>, json: &str) -> Result<Self, ServiceConfigError> {
        Self::in_registry(server, json, Registry::global())
    }

    /// The same with the policies in this registry.
    ///
    /// # Errors
    ///
    /// The first value that is not allowed.
    pub fn in_registry(
        server: impl Into<Name>,
        json: &str,
        registry: &Registry,
    ) -> Result<Self, ServiceConfigError> {
        let document = Document::read(json)?;
        let server = server.into();
        let budget = RetryBudget::in_registry(server.clone(), document.throttling, registry);
        let budget = budget.map_err(unlikely)?;
        let callers = Timeout::builder(server.clone(), LONGEST).whole_response(true).registry(registry);
        let callers = callers.build().map_err(unlikely)?;
        let home = Home { server: &server, budget: &budget, registry };
        let table = Table::of(document, &Table::default(), &home).map_err(unlikely)?;
        let (table, registry, reloads) = (Live::new(table), registry.clone(), AtomicU64::new(0));
        Ok(Self { shared: Arc::new(Shared { server, registry, budget, callers, table, reloads }) })
    }

    /// The name of the server.
    pub fn server(&self) -> &Name {
        &self.shared.server
    }

    /// The budget of all retries and hedges: `retryThrottling`, or without it the default of
    /// [`BudgetConfig`](crate::retry::BudgetConfig).
    pub fn budget(&self) -> &RetryBudget {
        &self.shared.budget
    }

    /// The policy that calls of a path are retried by.
    pub fn retry(&self, path: &str) -> Option<RetryPolicy> {
        match &self.shared.table.load().method(path)?.how {
            How::Retried(policy) => Some(policy.clone()),
            _ => None,
        }
    }

    /// The policy that calls of a path are hedged by.
    pub fn hedge(&self, path: &str) -> Option<Hedge> {
        match &self.shared.table.load().method(path)?.how {
            How::Hedged(hedge, _) => Some(hedge.clone()),
            _ => None,
        }
    }

    /// The timeout of calls of a path.
    pub fn timeout(&self, path: &str) -> Option<Timeout> {
        self.shared.table.load().method(path)?.timeout.clone()
    }

    /// Puts another service config in place, the whole of it or nothing, for calls that begin from then on.
    /// Policies that are called the same, and the budget, keep what they have seen.
    ///
    /// ```
    /// use portcullis::{Registry, ServiceConfig};
    ///
    /// let config = ServiceConfig::in_registry("shop", "{}", &Registry::new())?;
    /// config.reload(r#"{ "methodConfig": [{ "name": [{ "service": "shop.v1.Shop" }], "timeout": "1s" }] }"#)?;
    /// assert!(config.timeout("/shop.v1.Shop/Buy").is_some());
    ///
    /// assert!(config.reload(r#"{ "methodConfig": 7 }"#).is_err());
    /// assert!(config.timeout("/shop.v1.Shop/Buy").is_some());
    /// # Ok::<(), portcullis::service_config::ServiceConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first value that is not allowed; nothing has changed then.
    pub fn reload(&self, json: &str) -> Result<(), ServiceConfigError> {
        let document = Document::read(json)?;
        let Shared { server, registry, budget, table, reloads, .. } = &*self.shared;
        table
            .update(|before| {
                let next = Table::of(document, before, &Home { server, budget, registry })?;
                reloads.fetch_add(1, Release);
                Ok(next)
            })
            .map_err(unlikely)?;
        self.follow().map_err(unlikely)
    }

    /// Lets what stayed follow the table, outside of every lock: somebody may listen to that. Should there be
    /// another table by then, its own reload comes after this, or this goes by it.
    fn follow(&self) -> Result<(), ConfigError> {
        loop {
            let (reloads, table) = self.table();
            table.follow(&self.shared.budget)?;
            if self.shared.reloads.load(Acquire) == reloads {
                return Ok(());
            }
        }
    }

    /// The timeout of calls that have nothing but a deadline of their own.
    pub(super) fn callers(&self) -> &Timeout {
        &self.shared.callers
    }

    /// How often there was another table: a look that costs nothing.
    #[inline]
    pub(super) fn reloads(&self) -> u64 {
        self.shared.reloads.load(Acquire)
    }

    /// The table, and how often there was another; or more, if it has just changed.
    pub(super) fn table(&self) -> (u64, Arc<Table>) {
        // In this order: a table that is newer than its number is only loaded once more.
        (self.reloads(), self.shared.table.load())
    }
}

/// A policy's own check of what has been checked. Nothing is known that could come here.
fn unlikely(error: ConfigError) -> ServiceConfigError {
    ServiceConfigError::new(error.field(), error.value(), error.allowed())
}

impl fmt::Debug for ServiceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceConfig")
            .field("server", &self.shared.server)
            .field("budget", &self.shared.budget)
            .field("table", &self.shared.table.load())
            .finish_non_exhaustive()
    }
}
