//! The breaker's handle.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Poll, ready},
    time::Duration,
};

use portcullis_core::{
    ConfigError, Name, PolicyKind, Rejection,
    breaker::{Config, Machine, Mode, Refusal, Refusing, Settings, State, Status, Tally},
};

use super::{
    BreakerBuilder, BreakerGroup, BreakerTicket,
    by_hand::by_hand,
    driver::Driver,
    group::Membership,
    world::{Dice, Surroundings, World},
};
use crate::{
    FromRejection, Registry, Ticket, Typed, clock,
    event::{Emitter, Event},
    protocol::{future::finish, watched},
    shard::{self, Sharded},
};

/// A named circuit breaker: a cheap handle to shared state. Clones are the same breaker.
///
/// It works without tower too:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{BoxError, Breaker};
///
/// let breaker = Breaker::new("inventory");
/// let stock = breaker.call(|| async { Ok::<_, BoxError>(42) }).await?;
/// assert_eq!((stock, breaker.status().successes), (42, 1));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Breaker {
    pub(super) shared: Sharded<Shared, Tally>,
}

pub(super) struct Shared {
    pub(super) machine: Machine,
    pub(super) surroundings: Surroundings,
}

by_hand!(Breaker);

impl Breaker {
    /// A breaker with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A breaker to be configured.
    pub fn builder(name: impl Into<Name>) -> BreakerBuilder {
        BreakerBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        seed: Option<u64>,
        group: Option<BreakerGroup>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let settings = Arc::new(Settings::new(config)?);
        let machine = Machine::with_settings(settings, shard::count()).closed_since(clock::now());
        let surroundings = Surroundings {
            name: name.clone(),
            dice: Dice::new(seed),
            emitter: Emitter::new(name.clone(), PolicyKind::Breaker, registry),
            group: group.map(Membership::new),
            driver: Driver::default(),
        };
        let shared =
            Sharded::with(Shared { machine, surroundings }, |shared, shard| shared.machine.tally(shard));
        shared.surroundings.driver.belongs_to(shared.value());
        registry.join_sharded(PolicyKind::Breaker, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.shared.surroundings.name
    }

    /// Asks for one call. The ticket is to be [settled](crate::Ticket::settle) with how the call ended;
    /// dropped unsettled, it counts as abandoned.
    ///
    /// # Errors
    ///
    /// The rejection, when the breaker does not let the call through.
    #[inline]
    pub fn try_admit(&self) -> Result<BreakerTicket, Rejection> {
        match self.admit_closed() {
            Some(ticket) => Ok(ticket),
            None => self.admit_slow(false),
        }
    }

    /// Asks for a further attempt of a call that failed: with
    /// [`only_retries`](BreakerBuilder::only_retries), these alone are refused.
    ///
    /// # Errors
    ///
    /// The rejection, when the breaker does not let the call through.
    pub fn try_admit_retry(&self) -> Result<BreakerTicket, Rejection> {
        self.admit_closed().map_or_else(|| self.admit_slow(true), Ok)
    }

    /// The short way through a closed breaker.
    #[inline]
    pub(super) fn admit_closed(&self) -> Option<BreakerTicket> {
        let admission = self.shared.machine.admit_closed()?;
        Some(BreakerTicket::new(self.shared.pin(), admission))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn admit_slow(&self, retry: bool) -> Result<BreakerTicket, Rejection> {
        let world = self.shared.surroundings.world_of(retry);
        match self.shared.machine.admit(shard::current(), &world) {
            Ok(admission) => Ok(BreakerTicket::new(self.shared.pin(), admission)),
            Err(refusal) => Err(self.rejection(refusal)),
        }
    }

    /// A ticket for what failed before there was a call: nothing is refused, and no lot drawn.
    #[cold]
    pub(super) fn admit_unready(&self) -> Option<BreakerTicket> {
        let world = self.shared.surroundings.world_of_none();
        let admission = self.shared.machine.admit(shard::current(), &world).ok()?;
        Some(BreakerTicket::new(self.shared.pin(), admission))
    }

    /// Runs `call` if the breaker lets it, and records how it ended. An `Err` is a failure, unless it is
    /// a rejection of another policy. Dropping the future abandons the call.
    ///
    /// The error type must have room for a rejection: [`BoxError`](crate::BoxError) has, and one's own has by
    /// [`FromRejection`].
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
        run(self.try_admit(), call).await
    }

    /// A rejection for a call that was seen to be refused.
    #[inline(always)]
    pub(super) fn refuse(&self, refusing: Refusing) -> Rejection {
        let Shared { machine, surroundings } = &*self.shared;
        let heard = surroundings.emitter.is_heard().then_some(|rejection| tell(surroundings, rejection));
        machine.reject(&surroundings.name, self.shared.local(), refusing, heard)
    }

    /// Looks whether a call that came now would be refused for certain.
    #[inline(always)]
    pub(super) fn refusing(&self) -> Option<Refusing> {
        let Shared { machine, surroundings } = &*self.shared;
        if machine.is_closed() {
            return None;
        }
        match machine.refusing_for_long(clock::coarse) {
            Some(refusing) if surroundings.group.is_none() => Some(refusing),
            _ => self.refusing_slow(),
        }
    }

    #[cold]
    #[inline(never)]
    fn refusing_slow(&self) -> Option<Refusing> {
        let Shared { machine, surroundings } = &*self.shared;
        let refusing = machine.refusing(&surroundings.world())?;
        // The group waives no isolation.
        (machine.state() == State::Isolated || !surroundings.may_waive()).then_some(refusing)
    }

    /// Whether a call that came now would be refused for certain. It is not certain while the lot decides:
    /// in a mode that lets some calls pass, in a group of which no member works, while a probe's permit is
    /// free, or while it is recovering; nor when only retries are refused.
    pub fn is_refusing(&self) -> bool {
        self.refusing().is_some()
    }

    /// The state as it was left by the last call: an open breaker whose time is over shows as open until
    /// a call comes, and an override likewise, unless its transitions are [automatic](BreakerBuilder::automatic).
    pub fn state(&self) -> State {
        self.shared.machine.state()
    }

    /// Everything there is to see.
    pub fn status(&self) -> Status {
        self.shared.machine.status(clock::now())
    }

    /// Its last events, the youngest last; refusals are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.surroundings.emitter.recent()
    }

    /// The settings.
    pub fn config(&self) -> Arc<Config> {
        self.shared.machine.config()
    }

    /// Changes the settings while calls flow. State, windows, tickets and handles stay; what a window knows
    /// that still fits into its new shape stays too. Permits change with the next half-open state.
    ///
    /// ```
    /// use portcullis::{Breaker, breaker::Config};
    ///
    /// let breaker = Breaker::new("inventory");
    /// let config = Config { window: 500, ..(*breaker.config()).clone() };
    /// breaker.reconfigure(config)?;
    /// assert_eq!(breaker.config().window, 500);
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.machine.reconfigure(config, &self.shared.surroundings.world())?;
        self.shared.surroundings.driver.wake();
        self.shared.surroundings.emitter.config_changed();
        Ok(())
    }

    /// Says what happens to calls that are to be refused.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    fn machine(&self) -> &Machine {
        &self.shared.machine
    }

    fn world(&self) -> World<'_> {
        self.shared.surroundings.world()
    }

    fn override_with(&self, state: State, time: Option<Duration>) {
        let Shared { machine, surroundings } = &*self.shared;
        machine.override_with(state, time, &surroundings.world());
        // Another end of the same override is no transition, and told to nobody else.
        surroundings.driver.wake();
    }

    fn rejection(&self, refusal: Refusal) -> Rejection {
        let surroundings = &self.shared.surroundings;
        let rejection = surroundings.rejection(&refusal);
        surroundings.emitter.rejected(&rejection, true);
        rejection
    }
}

#[cold]
#[inline(never)]
fn tell(surroundings: &Surroundings, rejection: Rejection) {
    surroundings.emitter.rejected(&rejection, true);
}

/// Runs an admitted call, and settles its ticket.
pub(super) async fn run<K, F, Fut, T, E>(admitted: Result<K, Rejection>, call: F) -> Result<T, E>
where
    K: Ticket,
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: FromRejection,
{
    let mut ticket = Some(admitted.map_err(E::from_rejection)?);
    let mut future = pin!(async { call().await });
    poll_fn(|cx| {
        let result = ready!(watched(&mut ticket, || future.as_mut().poll(cx)));
        Poll::Ready(finish::<_, _, (), _, _>(&Typed::default(), (), result, ticket.take()))
    })
    .await
}

crate::registry::handle!(Breaker, Breaker);
crate::registry::new_in!(Breaker);

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("name", self.name()).field("state", &self.state()).finish()
    }
}
