//! The timeout's handle.

use std::{fmt, future::Future, pin::pin, sync::Arc, task::Poll, time::Duration};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind, Reason, Rejection, Time, TimeoutScope};
use tokio::time::Instant;

use super::{
    BodyDeadline, Config, TimeoutBuilder, TimeoutStatus,
    measure::{self, Counts},
    usual::Usual,
    watch::Watch,
    word::{Timing, Words},
};
use crate::{
    FromRejection, Registry, alarm, clock,
    dice::Dice,
    event::{Emitter, Event},
    live::Live,
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
    restart::{Kept, Saved},
    shard::{Pinned, Sharded},
};

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
    pub(super) shared: Sharded<Shared, Calls>,
}

/// What a call has of it, and one thread's calls of theirs.
pub(super) type Held = Pinned<Shared, Calls>;
/// Where one thread's calls wait.
pub(super) type Calls = alarm::Slot;

pub(super) struct Shared {
    words: Words,
    config: Live<Config>,
    dice: Dice,
    emitter: Emitter,
    usual: Usual,
    counts: Counts,
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

    /// A timeout to be configured, from a limit, a [`Preset`](super::Preset), or a whole [`Config`].
    ///
    /// ```
    /// use portcullis::{Timeout, timeout::Preset};
    /// use std::time::Duration;
    ///
    /// let search = Timeout::builder("search", Duration::from_millis(300)).build()?;
    /// let orders = Timeout::builder("orders", Preset::Database).whole_response(false).build()?;
    /// assert_eq!((search.limit(), orders.limit()), (Duration::from_millis(300), Duration::from_secs(5)));
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn builder(name: impl Into<Name>, config: impl Into<Config>) -> TimeoutBuilder {
        TimeoutBuilder::new(name.into(), config.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let shared = Shared {
            words: Words::of(&config),
            config: Live::new(config),
            dice: Dice::new(seed),
            emitter: Emitter::new(name.clone(), PolicyKind::Timeout, registry),
            usual: Usual::default(),
            counts: Counts::default(),
        };
        let shared = Sharded::with(shared, |_, _| Calls::default());
        registry.join_sharded(PolicyKind::Timeout, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.emitter.name()
    }

    /// The limit; the longest, where it [follows](super::Adaptive) how long calls take. Which one holds now is in
    /// the [status](Self::status).
    pub fn limit(&self) -> Duration {
        self.shared.words.timing().limit()
    }

    /// The settings.
    pub fn config(&self) -> Arc<Config> {
        self.shared.config.load()
    }

    /// Changes the settings while calls flow; calls that have begun keep their limit, and bodies their times. How
    /// long calls took stays known.
    ///
    /// ```
    /// use portcullis::{Timeout, timeout::{Adaptive, Config}};
    /// use std::time::Duration;
    ///
    /// let timeout = Timeout::total("inventory", Duration::from_secs(1))?;
    /// let adaptive = Some(Adaptive { factor: 3.0, ..Adaptive::default() });
    /// timeout.reconfigure(Config { adaptive, ..(*timeout.config()).clone() })?;
    /// assert_eq!(timeout.config().adaptive, adaptive);
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says whether late calls are ended, or only counted. In [`Mode::Disabled`] nothing is timed, and no timer
    /// armed.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Everything there is to see.
    pub fn status(&self) -> TimeoutStatus {
        self.shared.status()
    }

    /// Its last events, the youngest last; single late calls are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }

    /// How many calls took too long since it was built.
    pub fn expired(&self) -> u64 {
        self.shared.counts.status().expired
    }

    /// How many responses' bodies took too long.
    pub fn body_expired(&self) -> u64 {
        self.shared.counts.status().body_expired
    }

    /// How many responses' bodies paused for too long.
    pub fn body_idle_expired(&self) -> u64 {
        self.shared.counts.status().body_idle_expired
    }

    /// What ends a call, and the body of its response, after this time, which is within the limit.
    #[cfg(feature = "http")]
    pub(crate) fn within(&self, left: Duration) -> BodyDeadline {
        self.until(Instant::now() + left, left)
    }

    /// The same at this deadline, until which so much time is left.
    pub(crate) fn until(&self, deadline: Instant, left: Duration) -> BodyDeadline {
        let timing = self.shared.words.timing();
        BodyDeadline::until(self.shared.pin(), timing, deadline, left)
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
        let mut watch = Watch::new(self.shared.pin(), self.shared.begin(None));
        let mut call = pin!(call());
        let in_time = std::future::poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => watch.poll(cx).map(|()| None),
        });
        let result = match in_time.await {
            Some(result) => result,
            None => match watch.late(true) {
                Some(rejection) => return Err(E::from_rejection(rejection)),
                None => call.await,
            },
        };
        if result.is_ok() {
            watch.answered();
        }
        result
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.config.update(|before| {
            let config = change(before);
            config.check()?;
            // Under the lock, or those of another change could stay.
            self.words.set(&config);
            Ok(config)
        })?;
        self.usual.forget();
        self.emitter.config_changed();
        Ok(())
    }

    /// How a call is timed that begins now, with a limit of its own if there is one.
    #[inline(always)]
    pub(super) fn begin(&self, own: Option<Duration>) -> Timing {
        let timing = self.words.timing();
        own.map_or(timing, |own| timing.with_own(own))
    }

    /// The same for a call that is pending now: its limit may follow how long others took.
    pub(super) fn timing(&self, timing: Timing, now: Time) -> Timing {
        if !timing.is_adaptive() {
            return timing;
        }
        self.usual.limit(now, || self.look(now)).map_or(timing, |limit| timing.with(limit))
    }

    pub(super) fn name(&self) -> &Name {
        self.emitter.name()
    }

    pub(super) fn words(&self) -> &Words {
        &self.words
    }

    fn look(&self, now: Time) -> Duration {
        self.usual.look(&self.config.load(), now)
    }

    /// Records how long a call took, or was waited for.
    pub(super) fn took(&self, shard: usize, took: Duration) {
        self.usual.record(shard, took, clock::now());
    }

    /// Whether what is late is ended, in a mode in which not all is; counts and tells of what is not.
    pub(super) fn enforces(&self, limit: Duration, scope: TimeoutScope, sent: bool) -> bool {
        let enforced = self.dice.happens(self.config.load().mode.share());
        if !enforced {
            self.counts.shadowed();
            if self.emitter.is_heard() {
                self.emitter.rejected(&self.rejection(limit, scope, sent), false);
            }
        }
        enforced
    }

    /// The rejection of what took too long; `sent` when the inner service had been called.
    pub(super) fn reject(&self, limit: Duration, scope: TimeoutScope, sent: bool) -> Rejection {
        self.counts.expired(scope);
        let rejection = self.rejection(limit, scope, sent);
        self.emitter.rejected(&rejection, true);
        rejection
    }

    fn rejection(&self, limit: Duration, scope: TimeoutScope, sent: bool) -> Rejection {
        Rejection::new(self.emitter.name().clone(), Reason::Timeout { scope, limit, sent })
    }

    fn status(&self) -> TimeoutStatus {
        let config = self.config.load();
        let limit = self.usual.look(&config, clock::now());
        TimeoutStatus { limit, mode: config.mode, ..self.counts.status() }
    }
}

crate::registry::handle!(Timeout, Timeout);

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&*self.config.load()).into())
    }

    fn measure(&self, into: &mut dyn Measures) {
        measure::measure(&self.config.load(), &self.status(), into);
    }

    fn snapshot(&self) -> Snapshot {
        measure::snapshot(self.emitter.name(), &self.config.load(), &self.status())
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.config.load().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }

    fn save(&self, into: &mut Saved) {
        // Without the rule nothing would come of it.
        if self.config.load().adaptive.is_some() {
            self.usual.save(into);
        }
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        self.config.load().adaptive.is_some() && self.usual.resume(from)
    }
}
