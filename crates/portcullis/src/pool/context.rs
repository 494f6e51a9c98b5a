//! What goes with a call to its thread.

use tokio::runtime::Handle;

use crate::carried::Carried;

/// What a call finds on its thread as it was where it came from: the runtime, with its timers and sockets, and
/// what every call carries.
pub(super) struct Context {
    runtime: Option<Handle>,
    carried: Carried,
}

impl Context {
    /// The runtime is that of the calling thread.
    pub(super) fn new(carried: Carried) -> Self {
        Self { runtime: Handle::try_current().ok(), carried }
    }

    pub(super) fn runtime(&self) -> Option<&Handle> {
        self.runtime.as_ref()
    }

    /// Runs `f` in it. The runtime is not entered as one that runs a task is: `f` may block, and start runtimes
    /// of its own.
    pub(super) fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _runtime = self.runtime.as_ref().map(Handle::enter);
        self.carried.scope(f)
    }
}
