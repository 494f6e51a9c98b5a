//! The handle of load shedding.

use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use portcullis_core::{
    ConfigError, Mode, Name, PolicyKind, Reason, Rejection, Time,
    shed::{Arrival, Change, Config, Refused, Shedder, spread},
};

use super::{
    LoadShedBuilder, LoadShedStatus, ShedTicket, measure,
    measure::Refusals,
    pressure,
    sampler::{self, Sampler},
    ticket::Held,
};
use crate::{
    FromRejection, Registry, clock,
    dice::Dice,
    event::{Emitter, Event},
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
    restart::{Kept, Saved},
    shard::Sharded,
    turn::Hold,
};

/// After this time other users are refused first.
const TURN: Duration = Duration::from_secs(3600);

/// A named load shedding: a cheap handle to shared state. Clones are the same one.
///
/// It works without tower too:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{BoxError, LoadShed, Priority, shed::Arrival};
///
/// let shed = LoadShed::builder("jobs").max_in_flight(2).build()?;
/// let rows = shed.call(|| async { Ok::<_, BoxError>(3) }).await?;
/// assert_eq!((rows, shed.status().in_flight), (3, 0));
///
/// let running = shed.try_admit()?;
/// let refused = shed.try_admit_as(&Arrival::of(Priority::Lowest)).unwrap_err();
/// assert!(refused.to_string().starts_with("load_shed 'jobs' is overloaded: in_flight is 1, allowed is 1"));
/// # drop(running);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct LoadShed {
    pub(super) shared: Sharded<Shared>,
}

pub(super) struct Shared {
    pub(super) shedder: Shedder,
    pub(super) sampler: Sampler,
    pub(super) rejected: Refusals,
    pub(super) bypassed: Refusals,
    /// When a call was last refused; 0 before.
    pub(super) refused_at: AtomicU64,
    pub(super) emitter: Emitter,
    dice: Dice,
}

impl LoadShed {
    /// A load shedding with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A load shedding to be configured.
    pub fn builder(name: impl Into<Name>) -> LoadShedBuilder {
        LoadShedBuilder::new(name.into())
    }

    pub(super) fn from_config(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        pressure::check(&config)?;
        let shedder = Shedder::new(config)?;
        let shared = Sharded::new(Shared {
            sampler: Sampler::new(shedder.wants_samples()),
            shedder,
            rejected: Refusals::default(),
            bypassed: Refusals::default(),
            refused_at: AtomicU64::new(0),
            emitter: Emitter::new(name.clone(), PolicyKind::LoadShed, registry),
            dice: Dice::new(seed),
        });
        registry.join_sharded(PolicyKind::LoadShed, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.name()
    }

    /// Lets a call of normal priority in; it is in flight until the ticket is dropped.
    ///
    /// # Errors
    ///
    /// The rejection, when a signal is over its limit.
    pub fn try_admit(&self) -> Result<ShedTicket, Rejection> {
        self.try_admit_as(&Arrival::PLAIN)
    }

    /// The same for a call of which more is known.
    ///
    /// # Errors
    ///
    /// The rejection, when a signal is over its limit.
    pub fn try_admit_as(&self, arrival: &Arrival) -> Result<ShedTicket, Rejection> {
        let mut held = match self.admit_now(arrival) {
            Some(held) => held,
            None => self.enter(*arrival)?,
        };
        Ok(held.take().unwrap_or_else(|| ShedTicket::exempt(self.shared.pin())))
    }

    /// Runs `call`, if it is let in. Dropping the future takes it off those in flight.
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
        let _ticket = self.try_admit().map_err(E::from_rejection)?;
        call().await
    }

    /// Everything there is to see.
    pub fn status(&self) -> LoadShedStatus {
        measure::status(&self.shared)
    }

    /// The settings.
    pub fn config(&self) -> Config {
        self.shared.shedder.config()
    }

    /// Changes the settings while calls flow. Calls that run go on, even if the new limit is below what is in
    /// flight; what was measured is kept.
    ///
    /// # Errors
    ///
    /// The first setting outside its range, or a pressure that cannot be measured here; nothing has changed
    /// then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        pressure::check(&config)?;
        self.shared.update(|_| config)
    }

    /// Refuses at least this share of the calls, the lowest levels first, until another is said; 0 to
    /// [`max_cut`](Config::max_cut).
    ///
    /// # Errors
    ///
    /// When it is outside its range.
    pub fn set_cut(&self, share: f64) -> Result<(), ConfigError> {
        self.shared.update(|config| Config { cut: share, ..config.clone() })
    }

    /// Says whether calls are refused, or only counted.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Its last events, the youngest last; single refusals are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }

    /// Lets a call in, if nothing stands in its way and nothing is to be done about it. All others go the way of
    /// [`enter`](Self::enter).
    #[inline(always)]
    pub(super) fn admit_now(&self, arrival: &Arrival) -> Option<Held> {
        let Shared { shedder, sampler, emitter, .. } = &*self.shared;
        if arrival.exempt || arrival.waited.is_some() || sampler.is_asleep() || emitter.is_stopped() {
            return None;
        }
        if shedder.wants_looks() {
            if let Some(change) = shedder.look(clock::coarse()) {
                self.shared.tell(change);
            }
        }
        shedder.admit_calm(arrival.priority).then(|| Held::new(self.shared.pin()))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn enter(&self, arrival: Arrival) -> Result<Held, Rejection> {
        if arrival.exempt {
            return Ok(Held::exempt());
        }
        if let Some(rejection) = self.shared.emitter.stopped() {
            return Err(rejection);
        }
        if self.shared.sampler.is_asleep() {
            sampler::wake(self.shared.value());
        }
        self.shared.enter(&arrival)?;
        Ok(Held::new(self.shared.pin()))
    }

    /// Whether any call that came now would be refused, but for those that are exempt.
    pub(super) fn is_full(&self) -> bool {
        self.shared.shedder.is_full()
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.shedder.update(change)?;
        // The next call starts what measures, if there is something to measure now.
        self.sampler.rouse(&self.shedder);
        self.emitter.config_changed();
        Ok(())
    }

    pub(super) fn name(&self) -> &Name {
        self.emitter.name()
    }

    /// Tells of an overload that begins or ends.
    pub(super) fn tell(&self, change: Change) {
        self.emitter.overload_changed(
            change.overloaded,
            change.cause.signal,
            change.cause.measured,
            change.cause.limit,
        );
    }

    fn enter(&self, arrival: &Arrival) -> Result<(), Rejection> {
        if let Some(waited) = arrival.waited {
            self.shedder.told(waited);
        }
        let user = arrival.user.filter(|_| self.shedder.is_watching());
        let user = user.map(|user| spread(user, turn(clock::coarse())));
        match self.shedder.admit(&Arrival { user, ..*arrival }, self.dice.draw()) {
            Ok(()) => Ok(()),
            Err(refused) => self.refuse(refused),
        }
    }

    /// What becomes of a call that is to be refused: it is, or it passes, because of the mode.
    fn refuse(&self, refused: Refused) -> Result<(), Rejection> {
        let mode = self.shedder.mode();
        let enforced = mode == Mode::Enforce || self.dice.happens(mode.share());
        let counts = if enforced { &self.rejected } else { &self.bypassed };
        counts.count(refused.signal);
        self.refused_at.store(clock::coarse().as_millis().max(1), Relaxed);
        let Refused { signal, measured, limit } = refused;
        let rejection = Rejection::new(self.name().clone(), Reason::Overloaded { signal, measured, limit })
            .with_retry_after(self.shedder.retry_after(self.dice.draw()));
        self.emitter.rejected(&rejection, enforced);
        if enforced {
            return Err(rejection);
        }
        self.shedder.force();
        Ok(())
    }
}

/// A number that changes once in a [`TURN`].
fn turn(now: Time) -> u64 {
    now.as_millis() / (TURN.as_millis() as u64)
}

crate::registry::handle!(LoadShed, LoadShed);
crate::registry::new_in!(LoadShed);

impl fmt::Debug for LoadShed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadShed").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&self.shedder.config()).into())
    }

    fn measure(&self, into: &mut dyn Measures) {
        measure::measure(self, into);
    }

    fn snapshot(&self) -> Snapshot {
        self.emitter.marked(measure::snapshot(self))
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Isolate, Action::Release, Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.shedder.config().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }

    fn save(&self, into: &mut Saved) {
        self.emitter.save(into);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        self.emitter.resume(from).is_some()
    }
}
