//! What is fetched in the background.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
};

use tokio::{runtime::Handle, task::JoinSet};

/// The refreshes that run. Dropped, it ends them.
#[derive(Default)]
pub(super) struct Refreshes(Mutex<JoinSet<()>>);

impl Refreshes {
    /// Runs this, unless so many run already, or there is no runtime. Whether it does.
    pub(super) fn begin(&self, most: u32, refresh: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(runtime) = Handle::try_current() else { return false };
        // What panicked was told by the panic hook.
        let mut ended = Vec::new();
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(result) = running.try_join_next() {
            ended.push(result);
        }
        let begins = running.len() < most as usize;
        if begins {
            running.spawn_on(refresh, &runtime);
            return true;
        }
        drop(running);
        // Here, outside of the lock: what was not begun, and what a panic carried, may do anything.
        drop((ended, refresh));
        begins
    }
}
