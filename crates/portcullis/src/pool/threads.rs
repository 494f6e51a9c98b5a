//! The threads themselves.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use portcullis_core::{Mode, Name, pool::Config};
use tokio::runtime::{Builder, Runtime};

/// Where more calls pass than there are threads for, they have as many as tokio gives a runtime for blocking
/// work.
const PASSING: u32 = 512;

/// Threads that are started when there is work, and end when there was none for a while.
///
/// They are the blocking pool of a runtime that runs nothing else: with no driver and no task of its own, it
/// costs nothing but its threads.
pub(super) struct Threads {
    runtime: Option<Runtime>,
    most: u32,
    keep_alive: Duration,
}

impl Threads {
    pub(super) fn new(name: &Name, config: &Config) -> Self {
        let (most, keep_alive) = (most(config), config.keep_alive);
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(most as usize)
            .thread_keep_alive(keep_alive)
            // No thread can have a name with a zero in it.
            .thread_name(name.replace('\0', " "))
            .build();
        // What can fail is a driver, and there is none. Without a runtime no work is ever begun, which its
        // callers are told.
        Self { runtime: runtime.ok(), most, keep_alive }
    }

    /// Whether a pool of this configuration needs others.
    pub(super) fn fits(&self, config: &Config) -> bool {
        (self.most, self.keep_alive) == (most(config), config.keep_alive)
    }

    /// Runs `work` on one of them. Where there is none to be had, it is dropped.
    pub(super) fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        let Some(runtime) = &self.runtime else { return };
        // Where the system gives no more threads, tokio panics.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(runtime.spawn_blocking(work))));
    }
}

/// How many threads there may be: those who pass beyond the limit need some too.
fn most(config: &Config) -> u32 {
    match config.mode {
        Mode::Enforce => config.threads,
        _ => config.threads.max(PASSING),
    }
}

/// What runs goes on, threads without work end; nobody waits for either. The last handle may well go inside of
/// a runtime, or on one of these very threads.
impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
