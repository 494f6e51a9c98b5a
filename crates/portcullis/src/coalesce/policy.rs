//! The handle of coalescing.

use std::{fmt, future::Future, hash::Hash, sync::Arc};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind, coalesce::Config};

use super::{
    CoalesceBuilder, CoalesceStatus,
    measure::{Counts, count},
    rules::Rules,
};
use crate::{
    Registry,
    event::{Emitter, Event, EventKind},
    flight::{Flights, Joined, Key, Leader, Outcome, Turn, Waiter},
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
    shard::Sharded,
};

/// Named coalescing: a cheap handle to the calls in flight. Clones are the same.
///
/// It works without tower too, see [`call`](Self::call).
#[derive(Clone)]
pub struct Coalesce {
    pub(super) shared: Sharded<Shared>,
}

pub(super) struct Shared {
    pub(super) rules: Rules,
    flights: Flights,
    emitter: Emitter,
    pub(super) counts: Counts,
}

/// What a call is.
pub(super) enum Entry<K: Key, T: Outcome> {
    /// One that goes by itself.
    Alone,
    Leading(Leader<K, T>),
    Waiting(Waiter<K, T>),
}

impl Coalesce {
    /// Coalescing with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// Coalescing to be configured.
    pub fn builder(name: impl Into<Name>) -> CoalesceBuilder {
        CoalesceBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let shared = Sharded::new(Shared {
            rules: Rules::new(config, seed)?,
            flights: Flights::default(),
            emitter: Emitter::new(name.clone(), PolicyKind::Coalesce, registry),
            counts: Counts::default(),
        });
        registry.join_sharded(PolicyKind::Coalesce, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.emitter.name()
    }

    /// The settings.
    pub fn config(&self) -> Arc<Config> {
        self.shared.rules.config()
    }

    /// Changes the settings while calls flow. Calls that wait go on waiting.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says whether answers are shared, or it is only counted that they could be. Calls that wait go on waiting.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Everything there is to see.
    pub fn status(&self) -> CoalesceStatus {
        self.shared.status()
    }

    /// Its last events, the youngest last; single calls are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }

    /// Runs `call`, or waits for that of another with the same key, and the same types of key and result. Dropping
    /// the future drops what runs; who has waited longest runs its own then.
    ///
    /// The error must be `Clone`, because everyone gets it; a [`SharedError`](crate::share::SharedError) makes one
    /// of any other.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::{Coalesce, share::SharedError};
    ///
    /// let coalesce = Coalesce::new("files");
    /// let read = |path: &'static str| {
    ///     coalesce.call(path, move || async move {
    ///         tokio::task::yield_now().await;
    ///         std::fs::read_to_string(path).map_err(SharedError::new)
    ///     })
    /// };
    /// let (one, another) = tokio::join!(read("Cargo.toml"), read("Cargo.toml"));
    /// assert_eq!(one?, another?);
    /// assert_eq!((coalesce.status().led, coalesce.status().shared), (1, 1));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// That of the call that ran.
    pub async fn call<K, T, E, F, Fut>(&self, key: K, call: F) -> Result<T, E>
    where
        K: Hash + Eq + Send + Sync + 'static,
        T: Clone + Send + Sync + 'static,
        E: Clone + Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let leader = match self.shared.enter::<K, Result<T, E>>(|| Some(key)) {
            Entry::Alone => return call().await,
            Entry::Leading(leader) => leader,
            Entry::Waiting(waiter) => match self.shared.turn(waiter.await) {
                Turn::Shared(result) => return (*result).clone(),
                Turn::Alone => return call().await,
                Turn::Lead(leader) => leader,
            },
        };
        let result = call().await;
        if result.is_err() && self.shared.rules.promotes() {
            drop(leader);
        } else if let Err(leader) = leader.end_alone() {
            leader.settle(result.clone());
        }
        result
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.rules.update(change)?;
        self.emitter.config_changed();
        Ok(())
    }

    /// What a call with this key is.
    pub(super) fn enter<K: Key, T: Outcome>(&self, key: impl FnOnce() -> Option<K>) -> Entry<K, T> {
        if self.rules.is_disabled() {
            return Entry::Alone;
        }
        let Some(key) = key() else { return self.alone(&self.counts.keyless) };
        match self.flights.join(key, self.rules.bounds()) {
            Joined::Leader(leader) => {
                count(&self.counts.led);
                Entry::Leading(leader)
            }
            Joined::Waiter(waiter) if self.rules.waits() => Entry::Waiting(waiter),
            Joined::Waiter(_) => self.alone(&self.counts.shadowed),
            Joined::Full => self.alone(&self.counts.full),
        }
    }

    fn alone<K: Key, T: Outcome>(&self, counter: &std::sync::atomic::AtomicU64) -> Entry<K, T> {
        count(counter);
        Entry::Alone
    }

    /// Counts what came of a wait.
    pub(super) fn turn<K: Key, T: Outcome>(&self, turn: Turn<K, T>) -> Turn<K, T> {
        match &turn {
            Turn::Shared(_) => count(&self.counts.shared),
            Turn::Alone => count(&self.counts.unshared),
            Turn::Lead(leader) => {
                count(&self.counts.promoted);
                self.emitter.frequent(|| EventKind::Promoted { waiting: leader.waiting() as u64 });
            }
        }
        turn
    }

    fn status(&self) -> CoalesceStatus {
        self.counts.status(self.flights.keys(), self.flights.waiting(), self.rules.config().mode)
    }
}

crate::registry::handle!(Coalesce, Coalesce);
crate::registry::new_in!(Coalesce);

impl fmt::Debug for Coalesce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coalesce").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&*self.rules.config()).into())
    }

    fn measure(&self, into: &mut dyn Measures) {
        self.status().measure(into);
    }

    fn snapshot(&self) -> Snapshot {
        self.status().snapshot(self.emitter.name())
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.rules.config().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }
}
