//! The executor's handle.

use std::{
    any::Any,
    fmt,
    future::Future,
    sync::atomic::{AtomicU8, Ordering::Relaxed},
};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind, Reason, Rejection};
use tokio::runtime::Handle;

use super::{ExecutorBuilder, ExecutorStatus, measure::Counts, task::Task};
use crate::{
    FromRejection, Registry,
    carried::message,
    dice::Dice,
    event::{Emitter, Event, EventKind},
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
    shard::Sharded,
};

/// A named executor: a cheap handle to a runtime. Clones are the same executor.
///
/// It works without tower too, see [`call`](Self::call).
#[derive(Clone)]
pub struct Executor {
    pub(super) shared: Sharded<Shared>,
}

pub(super) struct Shared {
    /// That of each caller, where there is none.
    runtime: Option<Handle>,
    mode: AtomicU8,
    dice: Dice,
    emitter: Emitter,
    pub(super) counts: Counts,
}

/// Where a call runs.
pub(super) enum Place {
    On(Handle),
    Here,
    /// There is no runtime.
    Nowhere(Rejection),
}

impl Executor {
    /// An executor that makes calls tasks of their own, of each caller's runtime. In the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        Self::usual(Self::builder(name))
    }

    /// An executor that runs calls on this runtime. In the global registry.
    pub fn on(name: impl Into<Name>, runtime: Handle) -> Self {
        Self::usual(Self::builder(name).runtime(runtime))
    }

    /// An executor to be configured.
    pub fn builder(name: impl Into<Name>) -> ExecutorBuilder {
        ExecutorBuilder::new(name.into())
    }

    fn usual(builder: ExecutorBuilder) -> Self {
        #[expect(clippy::expect_used, reason = "only a percentage can be wrong, and there is none")]
        builder.build().expect("the defaults are valid")
    }

    pub(super) fn from_parts(
        name: Name,
        runtime: Option<Handle>,
        mode: Mode,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let shared = Sharded::new(Shared {
            runtime,
            mode: AtomicU8::new(checked(mode)?),
            dice: Dice::new(seed),
            emitter: Emitter::new(name.clone(), PolicyKind::Executor, registry),
            counts: Counts::default(),
        });
        registry.join_sharded(PolicyKind::Executor, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.emitter.name()
    }

    /// Says whether calls run as tasks, or so many percent of them do, or in place; in shadow those in place are
    /// counted. Tasks that run go on.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Everything there is to see.
    pub fn status(&self) -> ExecutorStatus {
        self.shared.status()
    }

    /// Its last events, the youngest last; refusals and panics are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }

    /// Runs the future that `call` makes as a task, from now on, whether or not this one is polled. `call` itself is
    /// called there, too. Dropping this future aborts the task.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::Rejection> {
    /// use portcullis::{Executor, Rejection};
    ///
    /// let executor = Executor::new("reports");
    /// assert_eq!(executor.call(|| async { Ok::<_, Rejection>(7) }).await?, 7);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What the future returned; or the rejection, when the runtime has ended.
    ///
    /// # Panics
    ///
    /// When the task did, with the same.
    pub fn call<F, Fut, T, E>(&self, call: F) -> impl Future<Output = Result<T, E>> + Send + use<F, Fut, T, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send,
        T: Send + 'static,
        E: FromRejection + Send + 'static,
    {
        let shared = self.shared.pin();
        let call = async move { call().await };
        let begun = match shared.place() {
            Place::On(runtime) => Ok(Begun::Task(Task::spawn(&runtime, shared, call))),
            Place::Here => Ok(Begun::Here(call)),
            Place::Nowhere(rejection) => Err(rejection),
        };
        async move {
            match begun.map_err(E::from_rejection)? {
                Begun::Task(task) => task.await.map_err(E::from_rejection)?,
                Begun::Here(call) => call.await,
            }
        }
    }
}

/// A call by hand.
enum Begun<T, F> {
    Task(Task<T>),
    Here(F),
}

/// The modes that are no percentage.
const DISABLED: u8 = 101;
const SHADOW: u8 = 102;
const ENFORCE: u8 = 103;

fn checked(mode: Mode) -> Result<u8, ConfigError> {
    mode.check("executor.mode.enforce_percent")?;
    Ok(match mode {
        Mode::EnforcePercent(percent) => percent,
        Mode::Disabled => DISABLED,
        Mode::Shadow => SHADOW,
        _ => ENFORCE,
    })
}

impl Shared {
    fn mode(&self) -> Mode {
        match self.mode.load(Relaxed) {
            ENFORCE => Mode::Enforce,
            SHADOW => Mode::Shadow,
            DISABLED => Mode::Disabled,
            percent => Mode::EnforcePercent(percent),
        }
    }

    pub(super) fn place(&self) -> Place {
        match self.mode() {
            Mode::Enforce => {}
            Mode::Disabled => return Place::Here,
            mode if self.dice.happens(mode.share()) => {}
            _ => {
                self.counts.shadowed.fetch_add(1, Relaxed);
                return Place::Here;
            }
        }
        match self.runtime.clone().or_else(|| Handle::try_current().ok()) {
            Some(runtime) => Place::On(runtime),
            None => Place::Nowhere(self.stopped()),
        }
    }

    /// A call whose runtime has ended.
    pub(super) fn stopped(&self) -> Rejection {
        self.counts.rejected.fetch_add(1, Relaxed);
        let rejection = Rejection::new(self.emitter.name().clone(), Reason::RuntimeStopped);
        self.emitter.rejected(&rejection, true);
        rejection
    }

    /// A task panicked.
    pub(super) fn panicked(&self, panic: &(dyn Any + Send)) {
        self.counts.panics.fetch_add(1, Relaxed);
        self.emitter.frequent(|| EventKind::Panicked { message: message(panic) });
    }

    fn status(&self) -> ExecutorStatus {
        self.counts.status(self.mode())
    }
}

crate::registry::handle!(Executor, Executor);
crate::registry::new_in!(Executor);

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some(portcullis_core::pipeline::Facts {
            mode: self.mode(),
            what: portcullis_core::pipeline::What::Other(String::new()),
        })
    }

    fn measure(&self, into: &mut dyn Measures) {
        self.status().measure(into);
    }

    fn snapshot(&self) -> Snapshot {
        self.status().snapshot(self.emitter.name())
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.mode())
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.mode.store(checked(mode)?, Relaxed);
        self.emitter.config_changed();
        Ok(())
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }
}
