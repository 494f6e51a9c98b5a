//! The adaptive limit's handle.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Poll, ready},
};

use portcullis_core::{
    ConfigError, Mode, Name, Padded, PolicyKind, Reason, Rejection, Time,
    adaptive::{Change, Config, Limiter},
};

use super::{
    AdaptiveLimitBuilder, AdaptiveLimitStatus, AdaptiveTicket, common::Common, measure, measure::Tally,
    ticket::Held,
};
use crate::{
    FromRejection, Registry, Typed,
    event::{Emitter, Event, EventKind},
    keyed::many::OfMany,
    metrics::Measures,
    protocol::{future::finish, watched},
    registry::{Action, Policy, Snapshot},
    restart::{Kept, Saved},
    shard::{self, Sharded},
};

/// A named adaptive limit: a cheap handle to shared state. Clones are the same limit.
///
/// It works without tower too:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{AdaptiveLimit, BoxError, Ticket, Verdict};
///
/// let limit = AdaptiveLimit::new("search");
/// let found = limit.call(|| async { Ok::<_, BoxError>(3) }).await?;
/// assert_eq!((found, limit.status().successes), (3, 1));
///
/// let mut ticket = limit.try_admit()?;
/// ticket.settle(Verdict::Success);
/// drop(ticket);
/// assert_eq!(limit.status().in_flight, 0);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct AdaptiveLimit {
    pub(super) shared: Sharded<Shared>,
}

pub(super) struct Shared {
    name: Name,
    pub(super) limiter: Limiter,
    pub(super) rejected: AtomicU64,
    pub(super) bypassed: AtomicU64,
    pub(super) common: Arc<Common>,
    tallies: Box<[Padded<Tally>]>,
}

impl AdaptiveLimit {
    /// An adaptive limit with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// An adaptive limit to be configured.
    pub fn builder(name: impl Into<Name>) -> AdaptiveLimitBuilder {
        AdaptiveLimitBuilder::new(name.into())
    }

    pub(super) fn from_config(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let kind = PolicyKind::AdaptiveLimit;
        let common = Arc::new(Common::new((kind, name.clone()), config.clone(), seed, registry)?);
        let shared = Sharded::new(Shared::new(name.clone(), config, shard::count(), common)?);
        registry.join_sharded(PolicyKind::AdaptiveLimit, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.name()
    }

    /// Takes a place; it is given back when the ticket is dropped. Settle the ticket with how the call ended, or the limit
    /// learns nothing.
    ///
    /// # Errors
    ///
    /// The rejection, when there is none. It does not say when to come back: that is up to the calls in flight.
    pub fn try_admit(&self) -> Result<AdaptiveTicket, Rejection> {
        Ok(self.admit()?.ticket())
    }

    /// Runs `call`, if there is a place. Errors are judged as [`Typed`] does: each is a failure of the kind
    /// [other](crate::FailureKind::Other), unless it is a rejection. Dropping the future gives the place back.
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
        let mut held = self.admit().map_err(E::from_rejection)?;
        let mut future = pin!(async { call().await });
        poll_fn(|cx| {
            let result = ready!(watched(&mut held, || future.as_mut().poll(cx)));
            Poll::Ready(finish::<_, _, (), _, _>(&Typed::default(), (), result, held.answered()))
        })
        .await
    }

    /// Whether a call that came now would be refused.
    pub fn is_refusing(&self) -> bool {
        self.shared.common.emitter.is_stopped() || self.is_full()
    }

    /// Whether there is no place.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.shared.limiter.is_full()
    }

    /// Everything there is to see.
    pub fn status(&self) -> AdaptiveLimitStatus {
        measure::status(&self.shared)
    }

    /// The settings.
    pub fn config(&self) -> Config {
        self.shared.limiter.config()
    }

    /// Changes the settings while calls flow. What was learned stays, but for what another algorithm does not know; the
    /// limit moves only if it is outside of the new bounds. Calls that run go on, whatever it is.
    ///
    /// ```
    /// use portcullis::{AdaptiveLimit, adaptive::Config};
    ///
    /// let limit = AdaptiveLimit::builder("search").initial(50).build()?;
    /// limit.reconfigure(Config { max: 30, initial: 10, ..limit.config() })?;
    /// assert_eq!(limit.status().limit, 30);
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then. And always for the limit of one key, which has the
    /// settings of all.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says whether calls are refused, or only counted. While it is disabled nothing is learned.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Its last events, the youngest last; refusals and changes of the limit are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.common.emitter.recent()
    }

    fn admit(&self) -> Result<Held, Rejection> {
        self.admit_now().map_or_else(|| self.admit_or_refuse(), Ok)
    }

    /// A place, if there is one.
    #[inline(always)]
    pub(super) fn admit_now(&self) -> Option<Held> {
        if self.shared.common.emitter.is_stopped() {
            return None;
        }
        let in_flight = self.shared.limiter.try_acquire()?;
        Some(Held::new(self.shared.pin(), in_flight))
    }

    /// What becomes of a call that found none: it is refused, or it passes, because of the mode.
    #[cold]
    #[inline(never)]
    pub(super) fn admit_or_refuse(&self) -> Result<Held, Rejection> {
        let shared = &*self.shared;
        shared.stopped()?;
        let mode = shared.limiter.mode();
        let enforced = mode == Mode::Enforce || shared.common.dice.happens(mode.share());
        let rejection = shared.rejected(enforced);
        if enforced {
            return Err(rejection);
        }
        Ok(Held::new(self.shared.pin(), shared.limiter.force()))
    }

    /// A rejection for a call that cannot be put through any more.
    #[cold]
    #[inline(never)]
    pub(super) fn refuse(&self) -> Rejection {
        self.shared.stopped().err().unwrap_or_else(|| self.shared.rejected(true))
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        let Shared { name, common, .. } = self;
        if name != common.emitter.name() {
            // The settings are those of all keys, and the others would not be told.
            return Err(ConfigError::new("adaptive_limit.key", name, "a change of the keyed limit"));
        }
        let changed = self.take_over(change)?;
        common.emitter.config_changed();
        self.tell(changed);
        Ok(())
    }

    /// Goes on with other settings, and tells nobody.
    pub(super) fn take_over(
        &self,
        change: impl FnOnce(&Config) -> Config,
    ) -> Result<Option<Change>, ConfigError> {
        let Shared { limiter, common, .. } = self;
        let mut changed = None;
        common.replace(change, |config| {
            changed = limiter.reconfigure(config.clone())?;
            Ok(())
        })?;
        Ok(changed)
    }

    /// The refusal of one that is stopped.
    fn stopped(&self) -> Result<(), Rejection> {
        match self.common.emitter.stopped_as(&self.name) {
            Some(rejection) => {
                self.rejected.fetch_add(1, Relaxed);
                Err(rejection)
            }
            None => Ok(()),
        }
    }

    /// With samples and tallies in so many shards, a power of two.
    fn new(name: Name, config: Config, shards: usize, common: Arc<Common>) -> Result<Self, ConfigError> {
        Ok(Self {
            name,
            limiter: Limiter::new(config, shards)?,
            rejected: AtomicU64::new(0),
            bypassed: AtomicU64::new(0),
            common,
            tallies: (0..shards).map(|_| Padded::default()).collect(),
        })
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    /// Tells that the limit was changed, if it was.
    pub(super) fn tell(&self, changed: Option<Change>) {
        if let Some(Change { from, to }) = changed {
            self.common.emitter.frequent_of(&self.name, || EventKind::LimitChanged { from, to });
        }
    }

    /// The tally of this shard.
    #[inline(always)]
    pub(super) fn tally(&self, shard: usize) -> &Tally {
        // A power of two of shards: the mask never leaves the slice.
        &self.tallies[shard & (self.tallies.len() - 1)]
    }

    pub(super) fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.tallies.iter().map(|tally| &**tally)
    }

    fn rejected(&self, enforced: bool) -> Rejection {
        let count = if enforced { &self.rejected } else { &self.bypassed };
        count.fetch_add(1, Relaxed);
        self.common.count(enforced);
        let reason =
            Reason::LimitReached { limit: self.limiter.limit(), in_flight: self.limiter.in_flight() };
        let rejection = Rejection::new(self.name().clone(), reason);
        self.common.emitter.rejected(&rejection, enforced);
        rejection
    }
}

impl OfMany for AdaptiveLimit {
    type Common = Common;

    fn of_many(name: Name, common: &Arc<Common>) -> Result<Self, ConfigError> {
        let config = (*common.config.load()).clone();
        Ok(Self { shared: Sharded::small(Shared::new(name, config, 1, common.clone())?) })
    }

    fn follow(&self) -> Result<(), ConfigError> {
        let config = self.shared.common.config.load();
        self.shared.limiter.reconfigure((*config).clone()).map(|_| ())
    }

    /// With calls in flight a key stays. One whose limit is lower than at first gives its place to no flood of keys,
    /// but only to time.
    fn may_go(&self, _: Time, idle: bool) -> bool {
        let limiter = &self.shared.limiter;
        let lowered = || limiter.limit() < limiter.config().initial;
        !self.shared.is_shared() && limiter.in_flight() == 0 && (idle || !lowered())
    }
}

crate::registry::handle!(AdaptiveLimit, AdaptiveLimit);
crate::registry::new_in!(AdaptiveLimit);

impl fmt::Debug for AdaptiveLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveLimit").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&self.limiter.config()).into())
    }

    fn measure(&self, into: &mut dyn Measures) {
        measure::measure(self, into);
    }

    fn snapshot(&self) -> Snapshot {
        self.common.emitter.marked(measure::snapshot(self))
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
        self.save_limit(into);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        let stopped = self.common.emitter.resume(from).is_some();
        self.resume_limit(from) || stopped
    }
}
