//! The handle of what reconnects.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis_core::{
    ConfigError, Failure, FailureKind, Name, PolicyKind, check_range,
    retry::{After, Backoff},
};

use super::{
    ReconnectBuilder, ReconnectService, ReconnectStatus,
    link::Link,
    measure::{self, Counts},
};
use crate::{
    Registry,
    dice::Dice,
    event::{Emitter, Event},
    live::Live,
    metrics::Measures,
    registry::{Policy, Snapshot},
};

/// A dependency that does not answer at once is not gone, and one that is gone for long is not asked all the time.
const DEFAULT_BASE: Duration = Duration::from_millis(100);
/// Soon enough for people who wait for a service to be back.
const DEFAULT_CAP: Duration = Duration::from_secs(10);
/// A handshake takes a few round trips.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longer than a process takes to start, and to crash again.
const DEFAULT_STABLE_AFTER: Duration = Duration::from_secs(10);

const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The rules of reconnecting.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The waits between attempts (default: exponential from 100 ms to 10 s, with full jitter).
    pub backoff: Backoff,
    /// How long one attempt may take (default 5 s); 1 ms to 1 h.
    pub connect_timeout: Duration,
    /// Whether calls wait for the next attempt where the last failed (default: they fail at once).
    pub wait: bool,
    /// How old a connection must be when it breaks, to say nothing against the next (default 10 s); up to 1 h. Of
    /// younger ones, each but the first in a row puts off the next attempt, more and more.
    pub stable_after: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let backoff = Backoff::exponential(DEFAULT_BASE).cap(DEFAULT_CAP);
        let stable_after = DEFAULT_STABLE_AFTER;
        Self { backoff, connect_timeout: DEFAULT_CONNECT_TIMEOUT, wait: false, stable_after }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let times = Duration::from_millis(1)..=LONGEST;
        check_range("reconnect.connect_timeout", self.connect_timeout, times)?;
        check_range("reconnect.stable_after", self.stable_after, Duration::ZERO..=LONGEST)?;
        self.backoff.check().map_err(|error| {
            let field = of_reconnect(error.field());
            error.of_field(field)
        })
    }
}

/// The name of a backoff's field here; there it is named after the retry, whose it is.
fn of_reconnect(field: &'static str) -> &'static str {
    match field {
        "retry.backoff.base" => "reconnect.backoff.base",
        "retry.backoff.factor" => "reconnect.backoff.factor",
        "retry.backoff.cap" => "reconnect.backoff.cap",
        "retry.backoff.jitter" => "reconnect.backoff.jitter",
        "retry.backoff.list" => "reconnect.backoff.list",
        _ => "reconnect.backoff",
    }
}

/// A named rule of reconnecting: a cheap handle to shared state. Clones are the same.
///
/// It may make several connections, each for a service of its own; what it counts is about all of them.
#[derive(Clone)]
pub struct Reconnect {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    config: Live<Config>,
    dice: Dice,
    emitter: Emitter,
    counts: Counts,
    connected: AtomicU64,
}

impl Reconnect {
    /// A policy with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A policy to be configured.
    pub fn builder(name: impl Into<Name>) -> ReconnectBuilder {
        ReconnectBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let shared = Arc::new(Shared {
            config: Live::new(config),
            dice: Dice::new(seed),
            emitter: Emitter::new(name.clone(), PolicyKind::Reconnect, registry),
            counts: Counts::default(),
            connected: AtomicU64::new(0),
        });
        registry.join(PolicyKind::Reconnect, name, &shared);
        Ok(Self { shared })
    }

    /// A service over the connection that `connector` makes to `target`. Nothing is connected until a call needs
    /// it. Clones share the connection.
    pub fn service<M, T, S>(&self, connector: M, target: T) -> ReconnectService<M, T, S> {
        ReconnectService::new(Arc::new(Link::new(connector, target, self.shared.clone())))
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.name()
    }

    /// The settings.
    pub fn config(&self) -> Arc<Config> {
        self.shared.config()
    }

    /// Changes the settings; a wait that has begun ends as it was to.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.config.update(|_| config.check().map(|()| config))?;
        self.shared.emitter.config_changed();
        Ok(())
    }

    /// Everything there is to see.
    pub fn status(&self) -> ReconnectStatus {
        self.shared.status()
    }

    /// Its last events, the youngest last.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }
}

impl Shared {
    pub(super) fn name(&self) -> &Name {
        self.emitter.name()
    }

    pub(super) fn config(&self) -> Arc<Config> {
        self.config.load()
    }

    /// The wait before the next attempt, after so many that failed in a row.
    pub(super) fn wait(&self, failures: u32, previous: Duration) -> Duration {
        let failure = Failure::new(FailureKind::Connection);
        let after = After { retry: failures, failure: &failure, previous };
        self.config().backoff.delay(&after, self.dice.draw())
    }

    pub(super) fn connected(&self) {
        self.counts.succeeded();
        self.connected.fetch_add(1, Relaxed);
    }

    /// Once it can be had: who hears of it may ask for it.
    pub(super) fn tell_connected(&self) {
        self.emitter.connection(true, 0);
    }

    pub(super) fn failed(&self, failures: u32) {
        self.counts.failed();
        // The first says that it is gone; the others are counted.
        if failures == 1 {
            self.emitter.connection(false, failures);
        }
    }

    /// A connection broke, or nobody needs it any more.
    pub(super) fn lost(&self, broke: bool) {
        self.connected.fetch_sub(1, Relaxed);
        if broke {
            self.counts.broke();
            self.emitter.connection(false, 0);
        }
    }

    fn status(&self) -> ReconnectStatus {
        self.counts.status(self.connected.load(Relaxed))
    }
}

crate::registry::handle!(Reconnect, Reconnect);
crate::registry::new_in!(Reconnect);

impl fmt::Debug for Reconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnect").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn measure(&self, into: &mut dyn Measures) {
        measure::measure(&self.status(), into);
    }

    fn snapshot(&self) -> Snapshot {
        measure::snapshot(self.name(), &self.status())
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }
}
