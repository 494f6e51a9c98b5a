//! Checks that block.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::AcqRel, Ordering::Release},
    },
};

use super::{Ask, Reading};
use crate::BoxError;

/// A check that blocks, such as one that looks at a file: it runs on a thread for that.
///
/// What blocks cannot be stopped. When its time is over it goes on, on its thread; until it has ended it is not
/// run again, and asking fails at once. So a disk that hangs costs one thread, and not one for each time it was
/// asked.
///
/// ```
/// use portcullis::check::Blocking;
///
/// let check = Blocking::new(|| std::fs::metadata("/etc/hostname").map(drop));
/// # let _ = check;
/// ```
pub struct Blocking<F> {
    function: Arc<F>,
    busy: Arc<AtomicBool>,
}

impl<F> Blocking<F> {
    /// A check of a function that blocks. It says the same as the future of any other
    /// [check](Ask#impl-Ask-for-F).
    pub fn new(function: F) -> Self {
        Self { function: Arc::new(function), busy: Arc::default() }
    }
}

impl<F, T, E> Ask for Blocking<F>
where
    F: Fn() -> Result<T, E> + Send + Sync + 'static,
    T: Into<Reading>,
    E: Into<BoxError>,
{
    async fn ask(&self) -> Result<Reading, BoxError> {
        if self.busy.swap(true, AcqRel) {
            return Err("the run before has not ended yet".into());
        }
        let (function, busy) = (self.function.clone(), Busy(self.busy.clone()));
        let run = tokio::task::spawn_blocking(move || {
            // Also when it panics, and when the runtime ends before it begins.
            let _busy = busy;
            function().map(Into::into).map_err(Into::into)
        });
        match run.await {
            Ok(answer) => answer,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => Err(cancelled.into()),
            },
        }
    }
}

struct Busy(Arc<AtomicBool>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(false, Release);
    }
}

impl<F> fmt::Debug for Blocking<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").field("busy", &self.busy).finish_non_exhaustive()
    }
}
