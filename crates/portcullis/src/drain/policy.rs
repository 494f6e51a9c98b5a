//! The drain's handle.

use std::{
    fmt,
    future::{Future, IntoFuture, poll_fn},
    pin::pin,
    sync::atomic::Ordering::Acquire,
    task::Poll,
};

use portcullis_core::{
    ConfigError, Name, PolicyKind, Rejection,
    drain::{Config, Phase},
};

use super::{DrainBuilder, DrainTicket, Report, state::Shared};
use crate::{FromRejection, Registry, event::Event, shard::Sharded};

/// The end of a server: a cheap handle to shared state. Clones are the same one.
///
/// It works without tower too, for jobs that should be finished before the process ends:
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{BoxError, Drain};
/// use std::time::Duration;
///
/// let drain = Drain::builder("jobs").announce(Duration::ZERO).grace(Duration::from_secs(2)).build()?;
/// drain.call(|| async { Ok::<_, BoxError>("done") }).await?;
/// let stuck = drain.try_admit_as("import of last night")?;
///
/// drain.begin();
/// let report = drain.ended().await;
/// assert!(report.to_string().ends_with("1 of 1 calls cut: import of last night (2.0s)"), "{report}");
/// assert!(drain.try_admit().is_err());
/// # drop(stuck);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Drain {
    pub(super) shared: Sharded<Shared>,
}

/// A drain at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainStatus {
    /// How far the end has come.
    pub phase: Phase,
    /// Calls in flight, until their bodies end.
    pub in_flight: u64,
    /// Calls that were refused.
    pub rejected: u64,
}

impl Drain {
    /// A drain with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A drain to be configured.
    pub fn builder(name: impl Into<Name>) -> DrainBuilder {
        DrainBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        named: bool,
        announce: Box<dyn Fn() + Send + Sync>,
        registry: &Registry,
    ) -> Self {
        let shared = Sharded::new(Shared::new(name.clone(), config, named, announce, registry));
        registry.join_sharded(PolicyKind::Drain, name, &shared);
        Self { shared }
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.name()
    }

    /// Begins the end: what is attached is no longer ready, and after the announced time new work is refused. Whether
    /// this was what began it; a second time nothing happens.
    ///
    /// Inside a tokio runtime it goes on by itself. Outside of one no time passes: new work is refused at once, and the
    /// end comes with the last call, or with [`end`](Self::end).
    pub fn begin(&self) -> bool {
        self.shared.value().begin()
    }

    /// Ends it now, whatever is in flight: the announcement and the grace are over. Begins it, if nobody has.
    pub fn end(&self) {
        self.shared.end();
    }

    /// How far the end has come.
    pub fn phase(&self) -> Phase {
        *self.shared.phases.borrow()
    }

    /// Whether new work is refused.
    #[inline]
    pub fn is_refusing(&self) -> bool {
        self.shared.phase.load(Acquire) >= Phase::Refusing as u8
    }

    /// Ready when the end has come so far.
    pub fn reached(&self, phase: Phase) -> impl Future<Output = ()> + Send + 'static + use<> {
        let (drain, mut phases) = (self.clone(), self.shared.phases.subscribe());
        async move {
            // The sender is in the drain that is kept here.
            let _known = phases.wait_for(|now| *now >= phase).await.is_ok();
            drop(drain);
        }
    }

    /// Ready when new work is refused: for the graceful shutdown of hosts.
    pub fn signal(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.reached(Phase::Refusing)
    }

    /// Ready when it is over, with what became of the calls. It may be asked often, and by several.
    pub fn ended(&self) -> impl Future<Output = Report> + Send + 'static + use<> {
        let (drain, ended) = (self.clone(), self.reached(Phase::Ended));
        async move {
            ended.await;
            // Written down before the phase is told.
            drain.shared.reported()
        }
    }

    /// Runs a server until it is drained. The server gets its end from [`signal`](Self::signal), or has none and is
    /// dropped. When all calls have finished, it may take what is left of the grace to close its connections; when they
    /// have not, it is dropped at once.
    ///
    /// # Errors
    ///
    /// The server's. If it ends by itself, without this having begun, so does the drain.
    pub async fn serve<S, E>(&self, server: S) -> Result<Report, E>
    where
        S: IntoFuture<Output = Result<(), E>>,
    {
        let over = async {
            let report = self.ended().await;
            if report.is_clean() {
                // Answers that are finished may still be on their way to the socket.
                let Config { announce, grace, .. } = *self.shared.config.load();
                let rest = (announce.saturating_add(grace)).saturating_sub(report.took);
                tokio::time::sleep(rest).await;
            }
        };
        match first(server.into_future(), over).await {
            Some(ended) => ended?,
            None => return Ok(self.ended().await),
        }
        if self.phase() < Phase::Refusing {
            self.end();
        }
        Ok(self.ended().await)
    }

    /// Lets a call in; it is in flight until the ticket is dropped.
    ///
    /// # Errors
    ///
    /// The rejection, when new work is refused.
    pub fn try_admit(&self) -> Result<DrainTicket, Rejection> {
        self.admit("")
    }

    /// The same for a call with a name, of which the report tells the first [`NAME_BYTES`](super::NAME_BYTES).
    ///
    /// # Errors
    ///
    /// The rejection, when new work is refused.
    pub fn try_admit_as(&self, name: &str) -> Result<DrainTicket, Rejection> {
        self.admit(name)
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

    #[inline(always)]
    pub(super) fn admit(&self, name: &str) -> Result<DrainTicket, Rejection> {
        let shared = self.shared.pin();
        let shard = shared.shard();
        let place = shared.enter(shard, name)?;
        Ok(DrainTicket::new(shared, place))
    }

    /// Everything there is to see.
    pub fn status(&self) -> DrainStatus {
        self.shared.status()
    }

    /// The settings.
    pub fn config(&self) -> Config {
        (*self.shared.config.load()).clone()
    }

    /// Changes the settings. A time that has begun to run is not changed.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.reconfigure(config)
    }

    /// Its last events, the youngest last; single refusals are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }
}

/// What `future` came to, if it did before `end`.
async fn first<F: Future>(future: F, end: impl Future) -> Option<F::Output> {
    let (mut future, mut end) = (pin!(future), pin!(end));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => end.as_mut().poll(cx).map(|_| None),
    })
    .await
}

crate::registry::handle!(Drain, Drain);
crate::registry::new_in!(Drain);

impl fmt::Debug for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").field("name", self.name()).field("status", &self.status()).finish()
    }
}
