//! The rate limit's handle.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis_core::{
    ConfigError, Mode, Name, PolicyKind, Reason, Rejection, Time,
    rate::{Asked, Limiter, Refused},
};

use super::{Config, RateLimitBuilder, Reservation, common::Common, measure, saved, waiting::Waiting};
use crate::{
    FromRejection, Registry, clock,
    event::{Emitter, Event},
    keyed::many::OfMany,
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
    restart::{Kept, Saved},
};

/// A named rate limit: a cheap handle to shared state. Clones are the same rate limit.
///
/// It works without tower too:
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{BoxError, RateLimit};
/// use std::time::Duration;
///
/// let limit = RateLimit::builder("mail").rate(10, Duration::from_secs(1)).burst(1).build()?;
/// let sent = limit.call(|| async { Ok::<_, BoxError>("sent") }).await?;
/// assert_eq!(sent, "sent");
/// let refused = limit.try_admit().unwrap_err();
/// assert_eq!(refused.retry_after(), Some(Duration::from_millis(100)));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RateLimit {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) name: Name,
    pub(super) limiter: Limiter,
    pub(super) common: Arc<Common>,
}

/// A rate limit at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitStatus {
    /// Whole permits that can be taken now.
    pub available: u64,
    /// Permits that can be taken at once after a pause.
    pub burst: u32,
    /// In how long all permits are there again, if nobody takes one.
    pub whole_in: Duration,
    /// Calls that wait.
    pub queued: u32,
    /// Calls that have waited since it was built.
    pub waited: u64,
    /// Calls that were refused since it was built.
    pub rejected: u64,
    /// Calls that would have been, but for the mode.
    pub shadowed: u64,
    /// Whether calls are refused, or only counted.
    pub mode: Mode,
}

/// What a call met.
pub(super) enum Entry {
    Admitted,
    Waiting(Waiting),
}

impl RateLimit {
    /// A rate limit with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A rate limit to be configured.
    pub fn builder(name: impl Into<Name>) -> RateLimitBuilder {
        RateLimitBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let limiter = Limiter::new(config.clone())?;
        let common = Arc::new(Common::new((PolicyKind::RateLimit, name.clone()), config, seed, registry)?);
        let shared = Arc::new(Shared { name: name.clone(), limiter, common });
        registry.join(PolicyKind::RateLimit, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.shared.name
    }

    /// Takes a permit that is there now. There is nothing to give back: a permit is spent.
    ///
    /// # Errors
    ///
    /// The rejection, with the exact time after which the permit is there if nobody else takes it. This does not
    /// queue; [`admit`](Self::admit) does.
    #[inline]
    pub fn try_admit(&self) -> Result<(), Rejection> {
        self.try_admit_many(1)
    }

    /// The same with so many permits. More than the [burst](Config::burst) are never there, and the rejection then
    /// names no time.
    ///
    /// # Errors
    ///
    /// As for [`try_admit`](Self::try_admit).
    #[inline]
    pub fn try_admit_many(&self, permits: u32) -> Result<(), Rejection> {
        let now = clock::now();
        if self.take(permits, now) { Ok(()) } else { self.shared.refuse(permits, now) }
    }

    /// Takes so many permits, waiting in line for them if they will be there in time. Dropping the future leaves the
    /// line, and those behind move up.
    ///
    /// # Errors
    ///
    /// The rejection, at once, when the line is full, or they would not be there within the longest wait.
    pub async fn admit(&self, permits: u32) -> Result<(), Rejection> {
        match self.enter(permits, clock::now(), None)? {
            Entry::Admitted => Ok(()),
            Entry::Waiting(mut waiting) => {
                std::future::poll_fn(|cx| waiting.poll(cx)).await;
                Ok(())
            }
        }
    }

    /// Takes so many permits now, and says when they may be used: in this time at the latest.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::RateLimit;
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// let limit = RateLimit::builder("mail").rate(1, second).build()?;
    /// limit.reserve(1, second)?.ready().await;
    /// let next = limit.reserve(1, second)?;
    /// assert_eq!(next.wait(), second);
    /// drop(next); // given back
    /// assert_eq!(limit.reserve(1, second)?.wait(), second);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The rejection, when they are not there within this time, or others wait in line for theirs.
    pub fn reserve(&self, permits: u32, within: Duration) -> Result<Reservation, Rejection> {
        let now = clock::now();
        self.shared.stopped()?;
        match self.shared.limiter.reserve(permits, now, within) {
            Ok(reserved) => Ok(Reservation::new(self.shared.clone(), reserved)),
            Err(refused) => {
                let rejection = self.shared.rejection(permits, refused);
                self.shared.common.rejected.fetch_add(1, Relaxed);
                self.shared.common.emitter.rejected(&rejection, true);
                Err(rejection)
            }
        }
    }

    /// Runs `call` once there is a permit. Dropping the future while it waits leaves the line.
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
        self.admit(1).await.map_err(E::from_rejection)?;
        call().await
    }

    /// Everything there is to see.
    pub fn status(&self) -> RateLimitStatus {
        self.shared.status()
    }

    /// The settings.
    pub fn config(&self) -> Arc<Config> {
        self.shared.common.config.load()
    }

    /// Changes the settings while calls flow: as many permits are taken as were, and who waits goes on waiting. The
    /// policy of one key has the settings of all keys, and is changed with them, by
    /// [`KeyedRateLimit::reconfigure`](super::KeyedRateLimit::reconfigure).
    ///
    /// # Errors
    ///
    /// The first setting outside its range, or that it is the policy of one key; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says whether calls are refused, or only counted.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100, or it is the policy of one key.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Its last events; single refusals are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.common.emitter.recent()
    }

    #[inline(always)]
    pub(super) fn take(&self, permits: u32, now: Time) -> bool {
        let Shared { limiter, common, .. } = &*self.shared;
        !common.emitter.is_stopped() && limiter.try_take(permits, now)
    }

    /// Permits, or a place in the line, for a call that must begin before the deadline.
    #[cold]
    #[inline(never)]
    pub(super) fn enter(&self, permits: u32, now: Time, deadline: Option<Time>) -> Result<Entry, Rejection> {
        let Shared { limiter, common, .. } = &*self.shared;
        self.shared.stopped()?;
        // It was read before, and the thread may have stood still since: nobody is refused by a time that is over.
        let now = now.max(clock::now());
        let config = common.config.load();
        let patience = deadline.map_or(config.max_wait, |deadline| config.max_wait.min(deadline.since(now)));
        // Nobody is made to wait by a limit that only counts.
        let max_queued = if config.mode == Mode::Enforce { config.max_queued } else { 0 };
        match limiter.ask(permits, now, max_queued, patience) {
            Asked::Taken => Ok(Entry::Admitted),
            Asked::Refused(refused) => self.shared.enforce(permits, refused).map(|()| Entry::Admitted),
            Asked::Waiting(place) => {
                common.besides.waited.fetch_add(1, Relaxed);
                Ok(Entry::Waiting(Waiting::new(self.shared.clone(), place)))
            }
        }
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        let Shared { name, common, .. } = self;
        if name != common.emitter.name() {
            // The settings are those of all keys, and the others would not be told.
            return Err(ConfigError::new("rate_limit.key", name, "a change of the keyed limit"));
        }
        self.take_over(change)?;
        common.emitter.config_changed();
        Ok(())
    }

    /// Goes on with other settings, and tells nobody.
    pub(super) fn take_over(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        let Shared { limiter, common, .. } = self;
        common.replace(change, |config| limiter.reconfigure(config, clock::now()))
    }

    #[cold]
    #[inline(never)]
    fn refuse(&self, permits: u32, now: Time) -> Result<(), Rejection> {
        self.stopped()?;
        let refused = self.limiter.refuse(permits, now);
        self.enforce(permits, refused)
    }

    /// The refusal of one that is stopped.
    fn stopped(&self) -> Result<(), Rejection> {
        self.common.emitter.stopped_as(&self.name).map_or(Ok(()), Err)
    }

    /// Refuses, if the mode says so.
    fn enforce(&self, permits: u32, refused: Refused) -> Result<(), Rejection> {
        let enforced = self.common.enforces();
        self.common.count(enforced);
        if enforced || self.common.emitter.is_heard() {
            let rejection = self.rejection(permits, refused);
            self.common.emitter.rejected(&rejection, enforced);
            if enforced {
                return Err(rejection);
            }
        }
        Ok(())
    }

    fn rejection(&self, cost: u32, refused: Refused) -> Rejection {
        let config = self.common.config.load();
        let (permits, period) = (config.permits, config.period);
        let reason = Reason::RateLimited { permits, period, cost, queued: refused.queued };
        Rejection::new(self.name.clone(), reason).with_retry_after(refused.wait)
    }

    pub(super) fn status(&self) -> RateLimitStatus {
        let (config, now) = (self.common.config.load(), clock::now());
        let count = |count: &AtomicU64| count.load(Relaxed);
        RateLimitStatus {
            available: self.limiter.available(now),
            burst: config.burst(),
            whole_in: self.limiter.whole_in(now),
            queued: self.limiter.queued(),
            waited: count(&self.common.besides.waited),
            rejected: self.common.refused(),
            shadowed: count(&self.common.shadowed),
            mode: config.mode,
        }
    }
}

impl OfMany for RateLimit {
    type Common = Common;

    fn of_many(name: Name, common: &Arc<Common>) -> Result<Self, ConfigError> {
        let limiter = Limiter::new((*common.config.load()).clone())?;
        Ok(Self { shared: Arc::new(Shared { name, limiter, common: common.clone() }) })
    }

    fn follow(&self) -> Result<(), ConfigError> {
        self.shared.limiter.reconfigure(&self.shared.common.config.load(), clock::now())
    }

    /// Idle or not, a key stays until all its permits are there again, or a flood of keys would give who spent his
    /// new ones; that is so after a time, whatever happens.
    fn may_go(&self, now: Time, _: bool) -> bool {
        Arc::strong_count(&self.shared) == 1 && self.shared.limiter.is_whole(now)
    }
}

crate::registry::handle!(RateLimit, RateLimit);
crate::registry::new_in!(RateLimit);

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&*self.common.config.load()).into())
    }

    fn measure(&self, into: &mut dyn Measures) {
        measure::measure(&self.status(), into);
        measure::rejected(&self.common, into);
    }

    fn snapshot(&self) -> Snapshot {
        self.common.emitter.marked(measure::snapshot(&self.name, &self.status()))
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Isolate, Action::Release, Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.common.config.load().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.common.emitter)
    }

    fn save(&self, into: &mut Saved) {
        self.common.emitter.save(into);
        saved::save(&self.limiter, into);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        let stopped = self.common.emitter.resume(from).is_some();
        saved::resume(&self.limiter, from) || stopped
    }
}
