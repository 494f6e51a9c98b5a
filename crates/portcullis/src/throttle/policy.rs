//! The throttle's handle.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Poll, ready},
};

use portcullis_core::{
    ConfigError, Mode, Name, PolicyKind, Reason, Rejection, Time,
    throttle::{Evidence, Lot, Throttler},
};

use super::{Config, ThrottleBuilder, ThrottleStatus, ThrottleTicket, common::Common, measure};
use crate::{
    FromRejection, Registry, Typed, clock,
    event::{Emitter, Event},
    keyed::many::OfMany,
    metrics::Measures,
    protocol::{future::finish, watched},
    registry::{Action, Policy, Snapshot},
    restart::{Kept, Saved},
    shard::{self, Sharded},
};

/// A named throttle: a cheap handle to shared state. Clones are the same throttle.
///
/// It works without tower too. An `Err` is judged by [`FromRejection::verdict`]:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{BoxError, Failure, FailureKind, Throttle, Ticket};
///
/// let throttle = Throttle::new("search");
/// let found = throttle.call(|| async { Ok::<_, BoxError>(42) }).await?;
/// assert_eq!((found, throttle.status().accepted), (42, 1));
///
/// throttle.try_admit()?.settle(Failure::new(FailureKind::RateLimited).into());
/// drop(throttle.try_admit()?); // says nothing
/// assert_eq!((throttle.status().requests, throttle.status().accepted), (2, 1));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Throttle {
    pub(super) shared: Sharded<Shared>,
}

pub(super) struct Shared {
    pub(super) name: Name,
    pub(super) throttler: Throttler,
    pub(super) common: Arc<Common>,
}

/// What is to become of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawn {
    Free,
    /// It would be held back, but for the mode.
    Spared,
    HeldBack,
    /// Nothing is counted.
    Disabled,
}

impl Throttle {
    /// A throttle with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A throttle to be configured.
    pub fn builder(name: impl Into<Name>) -> ThrottleBuilder {
        ThrottleBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let throttler = Throttler::new(config.clone(), shard::count())?;
        let common = Arc::new(Common::new((PolicyKind::Throttle, name.clone()), config, seed, registry)?);
        let shared = Sharded::new(Shared { name: name.clone(), throttler, common });
        registry.join_sharded(PolicyKind::Throttle, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.shared.name
    }

    /// Asks for one call, which is to be [settled](crate::Ticket::settle) with how it ended. Dropped unsettled, it is
    /// as if it had not been made.
    ///
    /// # Errors
    ///
    /// The rejection, when the call is held back.
    #[inline]
    pub fn try_admit(&self) -> Result<ThrottleTicket, Rejection> {
        self.take(self.draw())
    }

    /// Runs `call`, unless it is held back, and records how it ended. Dropping the future is as if there had been no
    /// call.
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
        let mut ticket = Some(self.try_admit().map_err(E::from_rejection)?);
        let mut future = pin!(async { call().await });
        poll_fn(|cx| {
            let result = ready!(watched(&mut ticket, || future.as_mut().poll(cx)));
            Poll::Ready(finish::<_, _, (), _, _>(&Typed::default(), (), result, ticket.take()))
        })
        .await
    }

    /// Everything there is to see.
    pub fn status(&self) -> ThrottleStatus {
        self.shared.status()
    }

    /// The settings.
    pub fn config(&self) -> Arc<Config> {
        self.shared.common.config.load()
    }

    /// Changes the settings while calls flow. What was seen stays, as far as it fits into the window. The throttle of
    /// one key has the settings of all keys, and is changed with them, by
    /// [`KeyedThrottle::reconfigure`](super::KeyedThrottle::reconfigure).
    ///
    /// # Errors
    ///
    /// The first setting outside its range, or that it is the throttle of one key; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says whether calls are held back, or only counted.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100, or it is the throttle of one key.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Forgets what it has seen, so that the next calls go through.
    pub fn reset(&self) {
        self.shared.throttler.reset(clock::coarse());
    }

    /// Its last events; single refusals are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.common.emitter.recent()
    }

    /// Draws what is to become of a call that comes now.
    #[inline(always)]
    pub(super) fn draw(&self) -> Drawn {
        match self.shared.throttler.lot(clock::coarse()) {
            Lot::Free => Drawn::Free,
            lot => self.shared.draw(lot),
        }
    }

    /// Does it.
    #[inline(always)]
    pub(super) fn take(&self, drawn: Drawn) -> Result<ThrottleTicket, Rejection> {
        if drawn == Drawn::Free {
            return Ok(self.ticket());
        }
        self.take_slow(drawn)
    }

    #[cold]
    #[inline(never)]
    fn take_slow(&self, drawn: Drawn) -> Result<ThrottleTicket, Rejection> {
        match drawn {
            Drawn::Free => Ok(self.ticket()),
            Drawn::Disabled => Ok(ThrottleTicket::of_nothing()),
            Drawn::Spared => {
                self.shared.spare();
                Ok(self.ticket())
            }
            Drawn::HeldBack => Err(self.shared.hold_back(shard::current(), clock::coarse())),
        }
    }

    #[inline(always)]
    fn ticket(&self) -> ThrottleTicket {
        let shared = self.shared.pin();
        shared.throttler.admit(shared.shard());
        ThrottleTicket::new(shared)
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        let Shared { name, common, .. } = self;
        if name != common.emitter.name() {
            // The settings are those of all keys, and the others would not be told.
            return Err(ConfigError::new("throttle.key", name, "a change of the keyed throttle"));
        }
        self.take_over(change)?;
        common.emitter.config_changed();
        Ok(())
    }

    /// Goes on with other settings, and tells nobody.
    pub(super) fn take_over(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        let Shared { throttler, common, .. } = self;
        common.replace(change, |config| throttler.reconfigure(config.clone(), clock::coarse()))
    }

    #[cold]
    #[inline(never)]
    fn draw(&self, lot: Lot) -> Drawn {
        match lot {
            Lot::Free => Drawn::Free,
            Lot::Disabled => Drawn::Disabled,
            Lot::Chance(chance) if !self.common.dice.happens(chance) => Drawn::Free,
            Lot::Chance(_) if self.common.enforces() => Drawn::HeldBack,
            Lot::Chance(_) => Drawn::Spared,
        }
    }

    fn hold_back(&self, shard: usize, now: Time) -> Rejection {
        let rejection = self.rejection(self.throttler.hold(shard, now));
        self.common.count(true);
        self.common.emitter.rejected(&rejection, true);
        rejection
    }

    fn spare(&self) {
        self.common.count(false);
        if self.common.emitter.is_heard() {
            self.common.emitter.rejected(&self.rejection(self.throttler.evidence()), false);
        }
    }

    /// It names no time: nobody knows when the dependency will take more.
    fn rejection(&self, evidence: Evidence) -> Rejection {
        let Evidence { requests, accepted, chance } = evidence;
        let [requests, accepted] = [requests, accepted].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        Rejection::new(self.name.clone(), Reason::Throttled { requests, accepted, chance })
    }

    pub(super) fn status(&self) -> ThrottleStatus {
        measure::status(&self.throttler.status(clock::coarse()), &self.common)
    }
}

impl OfMany for Throttle {
    type Common = Common;

    fn of_many(name: Name, common: &Arc<Common>) -> Result<Self, ConfigError> {
        let throttler = Throttler::new((*common.config.load()).clone(), 1)?;
        Ok(Self { shared: Sharded::small(Shared { name, throttler, common: common.clone() }) })
    }

    fn follow(&self) -> Result<(), ConfigError> {
        let config = self.shared.common.config.load();
        self.shared.throttler.reconfigure((*config).clone(), clock::coarse())
    }

    /// Idle or not, a key stays while it holds anything back, or could: a flood of keys would free it. That ends with
    /// the window.
    fn may_go(&self, now: Time, _: bool) -> bool {
        !self.shared.is_shared() && self.shared.throttler.holds_nothing_back(now)
    }
}

crate::registry::handle!(Throttle, Throttle);
crate::registry::new_in!(Throttle);

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&*self.common.config.load()).into())
    }

    fn snapshot(&self) -> Snapshot {
        measure::snapshot(&self.name, &self.status())
    }

    fn measure(&self, into: &mut dyn Measures) {
        measure::measure(&self.status(), into);
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Reset, Action::Mode]
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

    fn reset(&self) {
        self.throttler.reset(clock::coarse());
    }

    fn save(&self, into: &mut Saved) {
        self.save_window(into);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        self.resume_window(from)
    }
}
