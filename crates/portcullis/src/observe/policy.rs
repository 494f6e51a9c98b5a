//! The observer's handle.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind, observe::Config, pipeline::Facts};

use super::{
    ObserveTicket, ObserverBuilder, ObserverStatus, by_hand,
    measure::{self, Lately, Tally},
    span::{About, Trace},
};
use crate::{
    FromRejection, Registry, clock,
    event::{Emitter, Event},
    live::Live,
    metrics::Measures,
    protocol::Attempt,
    registry::{Action, Policy, Snapshot},
    shard::{Pinned, Sharded},
};

/// Who sees calls and their attempts under one name: a cheap handle. Clones are the same observer.
///
/// It works without tower too, see [`call`](Self::call).
#[derive(Clone)]
pub struct Observer {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    /// Of calls, and of attempts.
    seen: [Calls; 2],
    /// As the settings say; what every call looks at.
    does: AtomicU8,
    config: Live<Config>,
    emitter: Emitter,
}

/// All calls, or all attempts: how many run is how many references to this there are.
pub(super) type Calls = Sharded<Scoped, Tally>;
/// What one of them has of it.
pub(super) type Held = Pinned<Scoped, Tally>;

/// What is the same for all calls, or for all attempts.
pub(super) struct Scoped {
    pub(super) name: Name,
    pub(super) scope: Scope,
    pub(super) lately: Lately,
}

/// What is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Call,
    Attempt,
}

impl Scope {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Attempt => "attempt",
        }
    }
}

/// Nothing.
const DISABLED: u8 = 0;
/// Counting, and spans where there is a subscriber.
const ENABLED: u8 = 1;
/// Durations, too.
const MEASURING: u8 = 2;

const fn does(config: &Config) -> u8 {
    match (config.enabled, config.durations) {
        (false, _) => DISABLED,
        (true, false) => ENABLED,
        (true, true) => MEASURING,
    }
}

impl Observer {
    /// An observer with the defaults, in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "no setting of it can be wrong")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// An observer to be configured.
    pub fn builder(name: impl Into<Name>) -> ObserverBuilder {
        ObserverBuilder::new(name.into())
    }

    pub(super) fn from_parts(name: Name, config: Config, registry: &Registry) -> Result<Self, ConfigError> {
        config.check()?;
        let scoped = |scope| {
            let scoped = Scoped { name: name.clone(), scope, lately: Lately::default() };
            Sharded::with(scoped, |_, _| Tally::default())
        };
        let shared = Arc::new(Shared {
            seen: [scoped(Scope::Call), scoped(Scope::Attempt)],
            does: AtomicU8::new(does(&config)),
            config: Live::new(config),
            emitter: Emitter::new(name.clone(), PolicyKind::Observer, registry),
        });
        registry.join(PolicyKind::Observer, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.emitter.name()
    }

    /// The settings.
    pub fn config(&self) -> Config {
        *self.shared.config.load()
    }

    /// Changes the settings while calls flow; those that have begun end as they began. What was counted stays.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Everything there is to see.
    pub fn status(&self) -> ObserverStatus {
        self.shared.status()
    }

    /// Its last events, the youngest last: new settings.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }

    /// Begins a call by hand. It is over when the ticket is settled; dropped before, it was abandoned.
    ///
    /// ```
    /// use portcullis::{Observer, Ticket, Verdict};
    ///
    /// let observer = Observer::new("inventory");
    /// let mut call = observer.begin();
    /// let stock = call.inside(|| 7); // inside of its span
    /// call.settle(Verdict::Success);
    /// assert_eq!((stock, observer.status().calls.successes), (7, 1));
    /// ```
    pub fn begin(&self) -> ObserveTicket {
        self.shared.begin(Scope::Call, &About::default())
    }

    /// The same for one attempt of a call.
    pub fn begin_attempt(&self, attempt: Attempt) -> ObserveTicket {
        self.shared.begin(Scope::Attempt, &About { attempt, request: "" })
    }

    /// Runs `call` as a call, inside of its span. Dropping the future abandons it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::{BoxError, Observer, protocol::Attempt};
    ///
    /// let observer = Observer::new("inventory");
    /// let stock = observer
    ///     .call(|| observer.attempt(Attempt::FIRST, || async { Ok::<_, BoxError>(7) }))
    ///     .await?;
    /// assert_eq!((stock, observer.status().calls.successes, observer.status().attempts.successes), (7, 1, 1));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What `call` returned.
    pub async fn call<F, Fut, T, E>(&self, call: F) -> Result<T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: FromRejection,
    {
        by_hand::run(self.begin(), call).await
    }

    /// Runs `call` as one attempt of a call; see [`call`](Self::call).
    ///
    /// # Errors
    ///
    /// What `call` returned.
    pub async fn attempt<F, Fut, T, E>(&self, attempt: Attempt, call: F) -> Result<T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: FromRejection,
    {
        by_hand::run(self.begin_attempt(attempt), call).await
    }
}

impl Shared {
    fn begin(&self, scope: Scope, about: &About<'_>) -> ObserveTicket {
        self.begin_counted(scope).unwrap_or_else(|| self.begin_watched(scope, about))
    }

    /// What counts a call that begins now, if that is all that is wanted of it.
    #[inline(always)]
    pub(super) fn begin_counted(&self, scope: Scope) -> Option<ObserveTicket> {
        let is_all = self.does.load(Relaxed) == ENABLED && !Trace::is_wanted();
        is_all.then(|| ObserveTicket::counted(self.of(scope).pin()))
    }

    /// What records a call that begins now, if it is to be.
    #[cold]
    #[inline(never)]
    pub(super) fn begin_watched(&self, scope: Scope, about: &About<'_>) -> ObserveTicket {
        let does = self.does.load(Relaxed);
        if does == DISABLED {
            return ObserveTicket::of_nothing();
        }
        let held = self.of(scope).pin();
        let trace = Trace::begin(&held.name, scope, about);
        // Last, so that it is not measured how long the subscriber takes.
        let begun = (does == MEASURING).then(clock::now);
        ObserveTicket::watched(held, begun, trace)
    }

    #[inline(always)]
    const fn of(&self, scope: Scope) -> &Calls {
        &self.seen[scope as usize]
    }

    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.config.update(|before| {
            let config = change(before);
            config.check()?;
            // Under the lock, or that of another change could stay.
            self.does.store(does(&config), Relaxed);
            Ok(config)
        })?;
        self.emitter.config_changed();
        Ok(())
    }

    fn status(&self) -> ObserverStatus {
        ObserverStatus {
            calls: measure::seen(self.of(Scope::Call)),
            attempts: measure::seen(self.of(Scope::Attempt)),
            config: *self.config.load(),
        }
    }
}

crate::registry::handle!(Observer, Observer);
crate::registry::new_in!(Observer);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<Facts> {
        Some((&*self.config.load()).into())
    }

    fn measure(&self, into: &mut dyn Measures) {
        self.seen.iter().for_each(|calls| measure::measure(calls, into));
    }

    fn snapshot(&self) -> Snapshot {
        measure::snapshot(self.emitter.name(), &self.status())
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.config.load().mode())
    }

    /// It observes, or does not: there is nothing between.
    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        let enabled = match mode {
            Mode::Enforce => true,
            Mode::Disabled => false,
            other => return Err(ConfigError::new("observer.mode", other, "enforce or disabled")),
        };
        self.update(|config| Config { enabled, ..*config })
    }
}
