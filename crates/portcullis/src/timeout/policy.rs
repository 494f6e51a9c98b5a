//! The timeout's handle.

use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use portcullis_core::{
    ConfigError, Name, PolicyKind, Reason, Rejection, TimeoutScope, check_range, health::Level,
};
use tokio::time::Instant;

use super::TimeoutBuilder;
use crate::{
    FromRejection, Registry,
    metrics::{Measures, names::TIMEOUTS},
    registry::{Policy, Snapshot},
    shard::Sharded,
};

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A named time limit: a cheap handle. Clones are the same timeout.
///
/// It works without tower too:
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), portcullis::ConfigError> {
/// use portcullis::{Rejection, Timeout};
/// use std::time::Duration;
///
/// let timeout = Timeout::total("search", Duration::from_millis(100))?;
/// let late: Result<(), Rejection> = timeout.call(|| std::future::pending()).await;
/// assert!(late.is_err());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Timeout {
    pub(super) shared: Sharded<Shared>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) limit: Duration,
    pub(super) scope: TimeoutScope,
    pub(super) whole_response: bool,
    pub(super) body: Option<Duration>,
    pub(super) body_idle: Option<Duration>,
}

pub(super) struct Shared {
    pub(super) name: Name,
    pub(super) settings: Settings,
    expired: AtomicU64,
    body_expired: AtomicU64,
    body_idle_expired: AtomicU64,
}

impl Timeout {
    /// A limit on the whole call, around retries: 1 ms to 24 h.
    ///
    /// # Errors
    ///
    /// A limit outside that range.
    pub fn total(name: impl Into<Name>, limit: Duration) -> Result<Self, ConfigError> {
        Self::builder(name, limit).build()
    }

    /// A limit on one attempt, below a retry: 1 ms to 24 h.
    ///
    /// # Errors
    ///
    /// A limit outside that range.
    pub fn attempt(name: impl Into<Name>, limit: Duration) -> Result<Self, ConfigError> {
        Self::builder(name, limit).scope(TimeoutScope::Attempt).build()
    }

    /// A timeout to be configured.
    pub fn builder(name: impl Into<Name>, limit: Duration) -> TimeoutBuilder {
        TimeoutBuilder::new(name.into(), limit)
    }

    pub(super) fn from_settings(
        name: Name,
        settings: Settings,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        check_range("timeout.limit", settings.limit, SHORTEST..=LONGEST)?;
        for (field, time) in [("timeout.body", settings.body), ("timeout.body_idle", settings.body_idle)] {
            time.map_or(Ok(()), |time| check_range(field, time, SHORTEST..=LONGEST))?;
        }
        let shared = Sharded::new(Shared {
            name: name.clone(),
            settings,
            expired: AtomicU64::new(0),
            body_expired: AtomicU64::new(0),
            body_idle_expired: AtomicU64::new(0),
        });
        registry.join(PolicyKind::Timeout, name, shared.value());
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.shared.name
    }

    /// The limit.
    pub fn limit(&self) -> Duration {
        self.shared.settings.limit
    }

    /// How many calls took too long since it was built.
    pub fn expired(&self) -> u64 {
        self.shared.expired.load(Relaxed)
    }

    /// How many responses' bodies took too long.
    pub fn body_expired(&self) -> u64 {
        self.shared.body_expired.load(Relaxed)
    }

    /// How many responses' bodies paused for too long.
    pub fn body_idle_expired(&self) -> u64 {
        self.shared.body_idle_expired.load(Relaxed)
    }

    /// What ends a call, and the body of its response, after this time, which is within the limit.
    #[cfg(feature = "http")]
    pub(crate) fn within(&self, left: Duration) -> super::BodyDeadline {
        self.until(Instant::now() + left, left)
    }

    /// The same at this deadline, until which so much time is left.
    pub(crate) fn until(&self, deadline: Instant, left: Duration) -> super::BodyDeadline {
        super::BodyDeadline::until(self.shared.pin(), deadline, left)
    }

    /// Runs `call` for at most the limit; what is not ready then is dropped before this answers.
    ///
    /// # Errors
    ///
    /// What `call` returned, or the rejection.
    pub async fn call<F, Fut, T, E>(&self, call: F) -> Result<T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: FromRejection,
    {
        match tokio::time::timeout(self.limit(), call()).await {
            Ok(result) => result,
            Err(_elapsed) => Err(E::from_rejection(self.shared.reject(true))),
        }
    }
}

impl Settings {
    /// Whether anything is timed once the head of the response is there.
    pub(super) fn times_body(&self) -> bool {
        self.whole_response || self.body.is_some() || self.body_idle.is_some()
    }
}

impl Shared {
    /// The rejection of a call that took too long; `sent` when the inner service had been called.
    pub(super) fn reject(&self, sent: bool) -> Rejection {
        self.reject_after(self.settings.limit, self.settings.scope, sent)
    }

    /// The same for one that had another time than the limit.
    pub(super) fn reject_after(&self, limit: Duration, scope: TimeoutScope, sent: bool) -> Rejection {
        let count = match scope {
            TimeoutScope::Body => &self.body_expired,
            TimeoutScope::Idle => &self.body_idle_expired,
            _ => &self.expired,
        };
        count.fetch_add(1, Relaxed);
        Rejection::new(self.name.clone(), Reason::Timeout { scope, limit, sent })
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("name", self.name()).field("settings", &self.shared.settings).finish()
    }
}

impl Policy for Shared {
    fn measure(&self, into: &mut dyn Measures) {
        into.counter(&TIMEOUTS, &[self.settings.scope.as_str()], self.expired.load(Relaxed));
        if self.settings.body.is_some() {
            into.counter(&TIMEOUTS, &[TimeoutScope::Body.as_str()], self.body_expired.load(Relaxed));
        }
        if self.settings.body_idle.is_some() {
            into.counter(&TIMEOUTS, &[TimeoutScope::Idle.as_str()], self.body_idle_expired.load(Relaxed));
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            name: self.name.clone(),
            kind: PolicyKind::Timeout,
            state: "active",
            level: Level::Healthy,
            values: vec![
                ("limit_ms", (self.settings.limit.as_millis() as u64).into()),
                ("scope", self.settings.scope.as_str().into()),
                ("expired", self.expired.load(Relaxed).into()),
                ("body_expired", self.body_expired.load(Relaxed).into()),
                ("body_idle_expired", self.body_idle_expired.load(Relaxed).into()),
            ],
        }
    }
}
