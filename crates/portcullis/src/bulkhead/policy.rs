//! The bulkhead's handle.

use std::{fmt, future::Future};

use portcullis_core::{
    ConfigError, Mode, Name, PolicyKind, Reason, Rejection,
    bulkhead::{Config, Demand, Enqueued, Full, Semaphore},
};

use super::{
    BulkheadBuilder, BulkheadStatus, BulkheadTicket, measure,
    measure::Refusals,
    ticket::{Taken, Waiting, wait},
};
use crate::{
    FromRejection, Registry, clock,
    dice::Dice,
    event::{Emitter, Event},
    metrics::{Buckets, Measures},
    registry::{Action, Policy, Snapshot},
    restart::{Kept, Saved},
    shard::Sharded,
};

/// A named bulkhead: a cheap handle to shared state. Clones are the same bulkhead.
///
/// It works without tower too:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{BoxError, Bulkhead};
///
/// let bulkhead = Bulkhead::builder("reports").max_in_flight(2).build()?;
/// let rows = bulkhead.call(|| async { Ok::<_, BoxError>(3) }).await?;
/// assert_eq!((rows, bulkhead.status().in_flight), (3, 0));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Bulkhead {
    pub(super) shared: Sharded<Shared>,
}

pub(super) struct Shared {
    pub(super) semaphore: Semaphore,
    pub(super) rejected: Refusals,
    pub(super) bypassed: Refusals,
    /// How long calls waited.
    pub(super) waits: Buckets,
    pub(super) emitter: Emitter,
    dice: Dice,
}

/// What a call met.
pub(super) enum Entry {
    Admitted(Taken),
    Waiting(Waiting),
}

impl Bulkhead {
    /// A bulkhead with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A bulkhead to be configured.
    pub fn builder(name: impl Into<Name>) -> BulkheadBuilder {
        BulkheadBuilder::new(name.into())
    }

    pub(super) fn from_config(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let shared = Sharded::new(Shared {
            semaphore: Semaphore::new(config)?,
            rejected: Refusals::default(),
            bypassed: Refusals::default(),
            waits: Buckets::default(),
            emitter: Emitter::new(name.clone(), PolicyKind::Bulkhead, registry),
            dice: Dice::new(seed),
        });
        registry.join_sharded(PolicyKind::Bulkhead, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.name()
    }

    /// Takes a permit that is free now; it is given back when the ticket is dropped.
    ///
    /// # Errors
    ///
    /// The rejection, when none is free. This does not queue; [`admit`](Self::admit) does.
    pub fn try_admit(&self) -> Result<BulkheadTicket, Rejection> {
        self.try_admit_as(Demand::ONE)
    }

    /// Takes so many permits that are free now, all or none. At least one, and at most all there are: a call
    /// that asks for more runs alone.
    ///
    /// ```
    /// use portcullis::Bulkhead;
    ///
    /// let bulkhead = Bulkhead::builder("reports").max_in_flight(10).build()?;
    /// let yearly = bulkhead.try_admit_weighted(8).unwrap();
    /// let error = bulkhead.try_admit_weighted(3).unwrap_err();
    /// assert_eq!(error.to_string(), "bulkhead 'reports' has no room for 3: 2 of 10 free, 0 queued");
    /// drop(yearly);
    /// assert_eq!(bulkhead.status().in_flight, 0);
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The rejection, when they are not free.
    pub fn try_admit_weighted(&self, permits: u32) -> Result<BulkheadTicket, Rejection> {
        self.try_admit_as(Demand::of(permits))
    }

    /// The same for a call of this weight and priority.
    ///
    /// # Errors
    ///
    /// The rejection, when what it asks for is not free, or kept for others.
    pub fn try_admit_as(&self, demand: Demand) -> Result<BulkheadTicket, Rejection> {
        match self.admit_now(demand) {
            Some(taken) => Ok(taken.ticket()),
            None => self.admit_or_refuse(demand).map(Taken::ticket),
        }
    }

    /// Takes a permit, waiting in the queue for it if need be. Dropping the future leaves the queue; a permit
    /// that it was just given goes to who is next.
    ///
    /// # Errors
    ///
    /// The rejection, when the queue is full, or the longest wait is over.
    pub async fn admit(&self) -> Result<BulkheadTicket, Rejection> {
        self.admit_as(Demand::ONE).await
    }

    /// The same for a call of this weight and priority.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::Rejection> {
    /// use portcullis::{Bulkhead, Priority, bulkhead::Demand};
    ///
    /// let bulkhead = Bulkhead::new("reports");
    /// let ticket = bulkhead.admit_as(Demand { weight: 2, priority: Priority::Low }).await?;
    /// assert_eq!(ticket.permits(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`admit`](Self::admit); and when CoDel drops it.
    pub async fn admit_as(&self, demand: Demand) -> Result<BulkheadTicket, Rejection> {
        let entry = match self.admit_now(demand) {
            Some(taken) => Entry::Admitted(taken),
            None => self.enter(demand)?,
        };
        match entry {
            Entry::Admitted(taken) => Ok(taken.ticket()),
            Entry::Waiting(waiting) => waiting.await.map(Taken::ticket),
        }
    }

    /// Runs `call` once there is a permit. Dropping the future gives the permit back, or leaves the queue.
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
        let _ticket = self.admit().await.map_err(E::from_rejection)?;
        call().await
    }

    /// Whether any call that came now would be refused.
    pub fn is_refusing(&self) -> bool {
        self.shared.emitter.is_stopped() || self.is_full()
    }

    /// Whether there is neither a permit nor a place in the queue.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.shared.semaphore.is_refusing()
    }

    /// Everything there is to see.
    pub fn status(&self) -> BulkheadStatus {
        measure::status(&self.shared)
    }

    /// The settings.
    pub fn config(&self) -> Config {
        self.shared.semaphore.config()
    }

    /// Changes the settings while calls flow. Calls that run go on, even if the new limit is below what they
    /// hold. Calls that wait keep their place, are served in the new order, and go on at once if the new
    /// limit lets them; each waits for as long as was said when it came. The queue may be made shorter than
    /// it is: it then takes nobody until it is.
    ///
    /// ```
    /// use portcullis::{Bulkhead, bulkhead::Config};
    ///
    /// let bulkhead = Bulkhead::builder("reports").max_in_flight(10).build()?;
    /// let running = bulkhead.try_admit_weighted(8).unwrap();
    /// bulkhead.reconfigure(Config { max_in_flight: 5, ..bulkhead.config() })?;
    /// assert_eq!((bulkhead.status().in_flight, bulkhead.status().limit), (8, 5));
    /// drop(running);
    /// assert!(bulkhead.try_admit_weighted(5).is_ok());
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says how many permits there are, as [`reconfigure`](Self::reconfigure) does.
    ///
    /// # Errors
    ///
    /// When that is outside its range, or not more than what is [reserved](Config::reserved).
    pub fn resize(&self, max_in_flight: u32) -> Result<(), ConfigError> {
        self.shared.update(|config| Config { max_in_flight, ..config.clone() })
    }

    /// Says whether calls are refused, or only counted. In shadow and when disabled, those that wait go on at
    /// once.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Its last events, the youngest last; refusals are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }

    /// A rejection for a call that cannot be put through any more.
    pub(super) fn refuse(&self) -> Rejection {
        if let Err(stopped) = self.shared.stopped() {
            return stopped;
        }
        let semaphore = &self.shared.semaphore;
        let reason = Reason::BulkheadFull { limit: semaphore.limit(), queued: semaphore.queued() };
        self.shared.rejected(reason, true)
    }

    /// A permit that is free now, for calls that take one and have no priority; the others go the way of
    /// [`enter`](Self::enter).
    #[inline(always)]
    pub(super) fn admit_now(&self, demand: Demand) -> Option<Taken> {
        if demand != Demand::ONE {
            return None;
        }
        let free = |shared: &Shared| !shared.emitter.is_stopped() && shared.semaphore.try_acquire_one();
        let shared = self.shared.pin_if(free)?;
        Some(Taken::new(shared, 1))
    }

    /// Permits, or a place in the queue.
    #[inline(never)]
    pub(super) fn enter(&self, demand: Demand) -> Result<Entry, Rejection> {
        self.shared.stopped()?;
        let semaphore = &self.shared.semaphore;
        if let Some(taken) = semaphore.try_acquire(demand) {
            return Ok(Entry::Admitted(Taken::new(self.shared.pin(), taken)));
        }
        match semaphore.enqueue(demand, clock::now) {
            Ok(Enqueued::Acquired(taken)) => Ok(Entry::Admitted(Taken::new(self.shared.pin(), taken))),
            Ok(Enqueued::Waiting(place)) => Ok(Entry::Waiting(wait(self.shared.pin(), demand, place))),
            Err(full) => self.refuse_full(demand, full).map(Entry::Admitted),
        }
    }

    #[inline(never)]
    fn admit_or_refuse(&self, demand: Demand) -> Result<Taken, Rejection> {
        self.shared.stopped()?;
        let semaphore = &self.shared.semaphore;
        match semaphore.try_acquire(demand) {
            Some(taken) => Ok(Taken::new(self.shared.pin(), taken)),
            None => {
                let full = Full { queued: semaphore.queued(), free: semaphore.available() };
                self.refuse_full(demand, full)
            }
        }
    }

    fn refuse_full(&self, demand: Demand, full: Full) -> Result<Taken, Rejection> {
        let (limit, Full { queued, free }) = (self.shared.semaphore.limit(), full);
        let reason = match (demand, free) {
            (Demand::ONE, 0) => Reason::BulkheadFull { limit, queued },
            _ => Reason::BulkheadShort { limit, free, queued, weight: demand.weight.clamp(1, limit) },
        };
        self.shared.refuse(demand, reason).map(|taken| Taken::new(self.shared.pin(), taken))
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.semaphore.update(change, clock::now)?;
        self.emitter.config_changed();
        Ok(())
    }

    pub(super) fn name(&self) -> &Name {
        self.emitter.name()
    }

    /// The refusal of one that is stopped.
    pub(super) fn stopped(&self) -> Result<(), Rejection> {
        match self.emitter.stopped() {
            Some(rejection) => {
                self.rejected.count(&rejection.reason());
                Err(rejection)
            }
            None => Ok(()),
        }
    }

    /// What becomes of a call that is to be refused: it is, or it passes, because of the mode, with so many
    /// permits.
    pub(super) fn refuse(&self, demand: Demand, reason: Reason) -> Result<u32, Rejection> {
        let mode = self.semaphore.mode();
        let enforced = mode == Mode::Enforce || self.dice.happens(mode.share());
        let rejection = self.rejected(reason, enforced);
        if enforced { Err(rejection) } else { Ok(self.semaphore.force(demand)) }
    }

    fn rejected(&self, reason: Reason, enforced: bool) -> Rejection {
        let counts = if enforced { &self.rejected } else { &self.bypassed };
        counts.count(&reason);
        let rejection = Rejection::new(self.name().clone(), reason);
        self.emitter.rejected(&rejection, enforced);
        rejection
    }
}

crate::registry::handle!(Bulkhead, Bulkhead);
crate::registry::new_in!(Bulkhead);

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&self.semaphore.config()).into())
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
        Some(self.semaphore.config().mode)
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
