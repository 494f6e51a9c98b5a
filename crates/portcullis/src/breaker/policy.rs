//! The breaker's handle.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
};

use portcullis_core::{
    ConfigError, Name, PolicyKind, Reason, Rejection, Time,
    breaker::{Config, Machine, Refusal, State, Status},
    health::Level,
};

use super::{BreakerBuilder, BreakerTicket};
use crate::{
    FromRejection, Registry, Typed, clock,
    protocol::{future::finish, watched},
    registry::{Policy, Snapshot},
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
    pub(super) shared: Sharded<Shared>,
}

pub(super) struct Shared {
    pub(super) name: Name,
    pub(super) machine: Machine,
}

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

    pub(super) fn from_config(name: Name, config: Config, registry: &Registry) -> Result<Self, ConfigError> {
        let machine = Machine::new(config, shard::count())?.closed_since(clock::now());
        let shared = Sharded::new(Shared { name: name.clone(), machine });
        registry.join(PolicyKind::Breaker, name, shared.value());
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.shared.name
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
            None => self.admit_slow(),
        }
    }

    /// The short way through a closed breaker.
    #[inline]
    pub(super) fn admit_closed(&self) -> Option<BreakerTicket> {
        let admission = self.shared.machine.admit_closed()?;
        Some(BreakerTicket::new(self.shared.pin(), admission))
    }

    #[cold]
    #[inline(never)]
    fn admit_slow(&self) -> Result<BreakerTicket, Rejection> {
        match self.shared.machine.admit(shard::current(), clock::now) {
            Ok(admission) => Ok(BreakerTicket::new(self.shared.pin(), admission)),
            Err(refusal) => Err(self.rejection(refusal)),
        }
    }

    /// Runs `call` if the breaker lets it, and records how it ended. An `Err` is a failure, unless it is
    /// a rejection of another policy. Dropping the future abandons the call.
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
        let mut ticket = self.try_admit().map_err(E::from_rejection)?;
        let mut future = pin!(async { call().await });
        let result = poll_fn(|cx| watched(&mut ticket, || future.as_mut().poll(cx))).await;
        finish::<_, _, (), _, _>(&Typed::default(), (), result, &mut Some(ticket))
    }

    /// A rejection for a call that was refused at this time.
    pub(super) fn refuse(&self, at: Time) -> Rejection {
        self.rejection(self.shared.machine.refuse(shard::current(), at))
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.shared.machine.is_closed()
    }

    pub(super) fn is_refusing_at(&self, now: Time) -> bool {
        self.shared.machine.is_refusing(|| now)
    }

    /// Whether a call that came now would be refused.
    pub fn is_refusing(&self) -> bool {
        self.shared.machine.is_refusing(clock::now)
    }

    /// The state as it was left by the last call: an open breaker whose time is over shows as open until
    /// a call comes.
    pub fn state(&self) -> State {
        self.shared.machine.state()
    }

    /// Everything there is to see.
    pub fn status(&self) -> Status {
        self.shared.machine.status(clock::now())
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        self.shared.machine.config()
    }

    /// Opens now, for the open time. One that is open stays open for the open time from now, and that is
    /// no new trip; one that is isolated stays so.
    pub fn trip(&self) {
        self.shared.machine.trip(clock::now());
    }

    /// Closes now with an empty window; releases an isolated breaker too.
    pub fn reset(&self) {
        self.shared.machine.reset(clock::now());
    }

    /// Closes an open or half-open breaker with an empty window; does nothing in other states.
    pub fn close(&self) {
        self.shared.machine.close(clock::now());
    }

    /// Refuses every call until [`release`](Self::release) or [`reset`](Self::reset).
    pub fn isolate(&self) {
        self.shared.machine.isolate(clock::now());
    }

    /// Closes an isolated breaker; does nothing in other states.
    pub fn release(&self) {
        self.shared.machine.release(clock::now());
    }

    fn rejection(&self, refusal: Refusal) -> Rejection {
        Rejection::new(self.shared.name.clone(), Reason::Breaker(refusal.evidence))
            .with_retry_after(refusal.retry_after)
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("name", self.name()).field("state", &self.state()).finish()
    }
}

impl Policy for Shared {
    fn snapshot(&self) -> Snapshot {
        let status = self.machine.status(clock::now());
        let mut values = vec![
            ("failure_ratio", status.failure_ratio().into()),
            ("calls", status.window_calls.into()),
            ("successes", status.successes.into()),
            ("failures", status.failures.into()),
            ("rejected", status.refused.into()),
            ("abandoned", status.abandoned.into()),
            ("trips", status.trips.into()),
        ];
        if let Some(wait) = status.retry_in {
            values.push(("retry_in_ms", (wait.as_millis() as u64).into()));
        }
        if let Some(kind) = status.last_failure {
            values.push(("last_failure", kind.as_str().into()));
        }
        let level = match status.state {
            State::Closed => Level::Healthy,
            State::HalfOpen => Level::Warning,
            _ => Level::Degraded,
        };
        Snapshot {
            name: self.name.clone(),
            kind: PolicyKind::Breaker,
            state: status.state.as_str(),
            level,
            values,
        }
    }

    fn reset(&self) {
        self.machine.reset(clock::now());
    }

    fn isolate(&self) {
        self.machine.isolate(clock::now());
    }

    fn release(&self) {
        self.machine.release(clock::now());
    }
}
