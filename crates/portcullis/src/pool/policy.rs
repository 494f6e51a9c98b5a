//! The pool's handle.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use portcullis_core::{
    ConfigError, Mode, Name, PolicyKind, Reason, Rejection,
    bulkhead::{Demand, Enqueued, Semaphore},
    pool::Config,
};

use super::{
    ThreadPoolBuilder, ThreadPoolStatus, ThreadPoolTicket, caller::Caller, measure, measure::Refusals,
    threads::Threads, waiting::Waiting,
};
use crate::{
    FromRejection, Registry, clock,
    dice::Dice,
    event::{Emitter, Event, EventKind},
    live::Live,
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
    shard::Sharded,
};

/// A named pool of threads: a cheap handle to shared state. Clones are the same pool.
///
/// It works without tower too:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::{BoxError, ThreadPool};
///
/// let pool = ThreadPool::builder("pdf").threads(4).max_queued(16).build()?;
/// let pages = pool.run(|| Ok::<_, BoxError>(3)).await?;
/// assert_eq!((pages, pool.status().busy), (3, 0));
/// # Ok(()) }
/// ```
///
/// When the last handle goes, and the last call, the threads end, in the background.
#[derive(Clone)]
pub struct ThreadPool {
    shared: Sharded<Shared>,
}

pub(super) struct Shared {
    /// One for each thread.
    pub(super) permits: Semaphore,
    live: Live<Rules>,
    pub(super) rejected: Refusals,
    pub(super) bypassed: Refusals,
    pub(super) panics: AtomicU64,
    pub(super) cancelled: AtomicU64,
    emitter: Emitter,
    dice: Dice,
}

struct Rules {
    config: Config,
    threads: Arc<Threads>,
}

/// What a call met.
pub(super) enum Entry {
    Admitted(ThreadPoolTicket),
    Waiting(Waiting),
}

impl ThreadPool {
    /// A pool with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A pool to be configured.
    pub fn builder(name: impl Into<Name>) -> ThreadPoolBuilder {
        ThreadPoolBuilder::new(name.into())
    }

    pub(super) fn from_config(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let threads = Arc::new(Threads::new(&name, &config));
        let shared = Sharded::new(Shared {
            permits: Semaphore::new(config.permits())?,
            live: Live::new(Rules { config, threads }),
            rejected: Refusals::default(),
            bypassed: Refusals::default(),
            panics: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            emitter: Emitter::new(name.clone(), PolicyKind::ThreadPool, registry),
            dice: Dice::new(seed),
        });
        registry.join_sharded(PolicyKind::ThreadPool, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.name()
    }

    /// Takes a thread that is free now; it is given back when the ticket is dropped, or when the work that it
    /// was given has ended.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::Rejection> {
    /// use portcullis::{Rejection, ThreadPool};
    ///
    /// let pool = ThreadPool::builder("pdf").threads(1).build().unwrap();
    /// let ticket = pool.try_admit()?;
    /// let error = pool.try_admit().unwrap_err();
    /// assert_eq!(error.to_string(), "thread_pool 'pdf' is full: 1 threads are busy, 0 queued");
    /// assert_eq!(ticket.run(|| Ok::<_, Rejection>(6 * 7)).await?, 42);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The rejection, when none is free. This does not queue; [`admit`](Self::admit) does.
    pub fn try_admit(&self) -> Result<ThreadPoolTicket, Rejection> {
        self.shared.stopped()?;
        match self.shared.permits.try_acquire(Demand::ONE) {
            Some(taken) => Ok(self.ticket(taken)),
            None => self.shared.refuse(self.shared.full()).map(|taken| self.ticket(taken)),
        }
    }

    /// Takes a thread, waiting in the queue for it if need be. Dropping the future leaves the queue; a thread
    /// that it was just given goes to who is next.
    ///
    /// # Errors
    ///
    /// The rejection, when the queue is full, or the longest wait is over.
    pub async fn admit(&self) -> Result<ThreadPoolTicket, Rejection> {
        match self.enter()? {
            Entry::Admitted(ticket) => Ok(ticket),
            Entry::Waiting(waiting) => waiting.await,
        }
    }

    /// Runs `work`, which may block or compute for as long as it likes, on a thread of the pool.
    ///
    /// Dropping the future before that has begun keeps it from beginning. What has begun goes on, and keeps
    /// its thread until it ends: [`run_with`](Self::run_with) lets it know.
    ///
    /// # Errors
    ///
    /// What `work` returned; or the rejection, which is [`Reason::Panicked`] when it panicked.
    pub async fn run<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce() -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: FromRejection + Send + 'static,
    {
        self.admit().await.map_err(E::from_rejection)?.run(work).await
    }

    /// The same for work that looks now and then whether its caller is still there.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::Rejection> {
    /// use portcullis::{Rejection, ThreadPool};
    ///
    /// let pool = ThreadPool::new("primes");
    /// let count = pool
    ///     .run_with(|caller| {
    ///         let is_prime = |n: &u64| (2..*n).all(|m| n % m != 0);
    ///         let watched = (2..1000).take_while(|_| !caller.is_gone());
    ///         Ok::<_, Rejection>(watched.filter(is_prime).count())
    ///     })
    ///     .await?;
    /// assert_eq!(count, 168);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`run`](Self::run).
    pub async fn run_with<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Caller<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: FromRejection + Send + 'static,
    {
        self.admit().await.map_err(E::from_rejection)?.run_with(work).await
    }

    /// Runs the future that `call` makes on a thread of the pool, which has nothing else to do until that is
    /// ready. Timers, sockets and `tokio::spawn` in it are those of the runtime that this is called in.
    ///
    /// The future is made on the thread, and stays there. When this one is dropped, it is dropped where it
    /// next waits.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), portcullis::Rejection> {
    /// use portcullis::{Rejection, ThreadPool};
    /// use std::time::Duration;
    ///
    /// let pool = ThreadPool::new("pdf");
    /// let call = pool.call(|| async {
    ///     tokio::time::sleep(Duration::from_secs(60)).await; // on the clock of this runtime
    ///     Ok::<_, Rejection>(std::thread::current().name() == Some("pdf"))
    /// });
    /// assert!(call.await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What the future returned; or the rejection, which is [`Reason::Panicked`] when it panicked.
    pub async fn call<F, Fut, T, E>(&self, call: F) -> Result<T, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>>,
        T: Send + 'static,
        E: FromRejection + Send + 'static,
    {
        self.admit().await.map_err(E::from_rejection)?.call(call).await
    }

    /// Whether any call that came now would be refused.
    pub fn is_refusing(&self) -> bool {
        self.shared.emitter.is_stopped() || self.shared.permits.is_refusing()
    }

    /// Everything there is to see.
    pub fn status(&self) -> ThreadPoolStatus {
        measure::status(&self.shared)
    }

    /// The settings.
    pub fn config(&self) -> Config {
        self.shared.config()
    }

    /// Changes the settings while calls flow. Calls that run go on, even if there are more of them than threads
    /// now. Calls that wait keep their place, are served in the new order, and go on at once if the new limit
    /// lets them; each waits for as long as was said when it came.
    ///
    /// A pool with another number of threads, or another time to keep them, starts new ones; the old end when
    /// they have done what they have.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says how many threads there may be, as [`reconfigure`](Self::reconfigure) does.
    ///
    /// # Errors
    ///
    /// When that is outside its range.
    pub fn resize(&self, threads: u32) -> Result<(), ConfigError> {
        self.shared.update(|config| Config { threads, ..config.clone() })
    }

    /// Says whether calls are refused, or only counted. In shadow and when disabled, those that wait go on at
    /// once. A call that passes runs on a thread of the pool all the same, of which there are then more, up to
    /// 512, beyond which they wait for each other; when the pool is disabled, on its own task, and
    /// [`run`](Self::run) on a blocking thread of its runtime.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Its last events, the youngest last; refusals and panics are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }

    /// A rejection for a call that cannot be put through any more.
    pub(super) fn refuse(&self) -> Rejection {
        self.shared.stopped().err().unwrap_or_else(|| self.shared.refused(self.shared.full()))
    }

    /// A thread, or a place in the queue.
    pub(super) fn enter(&self) -> Result<Entry, Rejection> {
        self.shared.stopped()?;
        let permits = &self.shared.permits;
        if let Some(taken) = permits.try_acquire(Demand::ONE) {
            return Ok(Entry::Admitted(self.ticket(taken)));
        }
        match permits.enqueue(Demand::ONE, clock::now) {
            Ok(Enqueued::Acquired(taken)) => Ok(Entry::Admitted(self.ticket(taken))),
            Ok(Enqueued::Waiting(place)) => Ok(Entry::Waiting(Waiting::new(self.shared.pin(), place))),
            Err(_) => {
                let taken = self.shared.refuse(self.shared.full())?;
                Ok(Entry::Admitted(self.ticket(taken)))
            }
        }
    }

    fn ticket(&self, taken: u32) -> ThreadPoolTicket {
        ThreadPoolTicket::new(self.shared.pin(), taken)
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.live.update(|before| {
            let config = change(&before.config);
            config.check()?;
            let threads = if before.threads.fits(&config) {
                before.threads.clone()
            } else {
                Arc::new(Threads::new(self.name(), &config))
            };
            Ok(Rules { config, threads })
        })?;
        // Outside of that lock, because it calls those who wait. The threads are there by now; and of two
        // changes at a time, the permits are as the later one has it.
        self.permits.update(|_| self.config().permits(), clock::now)?;
        self.emitter.config_changed();
        Ok(())
    }

    pub(super) fn name(&self) -> &Name {
        self.emitter.name()
    }

    pub(super) fn config(&self) -> Config {
        self.live.load().config.clone()
    }

    pub(super) fn threads(&self) -> Arc<Threads> {
        self.live.load().threads.clone()
    }

    pub(super) fn full(&self) -> Reason {
        Reason::PoolFull { threads: self.permits.limit(), queued: self.permits.queued() }
    }

    /// The refusal of one that is stopped.
    fn stopped(&self) -> Result<(), Rejection> {
        if !self.emitter.is_stopped() {
            return Ok(());
        }
        self.emitter.stopped().map_or(Ok(()), Err)
    }

    /// Calls that were refused because it was stopped.
    pub(super) fn refused_stopped(&self) -> u64 {
        self.emitter.refused_stopped()
    }

    /// What becomes of a call that is to be refused: it is, or it passes, because of the mode, with so many
    /// permits.
    pub(super) fn refuse(&self, reason: Reason) -> Result<u32, Rejection> {
        let mode = self.permits.mode();
        let enforced = mode == Mode::Enforce || self.dice.happens(mode.share());
        let rejection = self.rejected(reason, enforced);
        if enforced { Err(rejection) } else { Ok(self.permits.force(Demand::ONE)) }
    }

    /// A call that is refused whatever the mode.
    pub(super) fn refused(&self, reason: Reason) -> Rejection {
        self.rejected(reason, true)
    }

    fn rejected(&self, reason: Reason, enforced: bool) -> Rejection {
        let counts = if enforced { &self.rejected } else { &self.bypassed };
        counts.count(&reason);
        let rejection = Rejection::new(self.name().clone(), reason);
        self.emitter.rejected(&rejection, enforced);
        rejection
    }

    /// A call panicked.
    pub(super) fn panicked(&self, message: impl FnOnce() -> Arc<str>) {
        self.panics.fetch_add(1, Relaxed);
        self.emitter.frequent(|| EventKind::Panicked { message: message() });
    }

    /// A call was dropped before it had its answer.
    pub(super) fn cancelled(&self) {
        self.cancelled.fetch_add(1, Relaxed);
    }
}

crate::registry::handle!(ThreadPool, ThreadPool);
crate::registry::new_in!(ThreadPool);

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&self.config()).into())
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
        Some(self.config().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }
}
