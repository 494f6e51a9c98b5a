//! Transitions on time, without a call that finds them due.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use tokio::{runtime::Handle, sync::Notify, task::AbortHandle};

use portcullis_core::Time;

use super::policy::Shared;
use crate::clock;

/// What has transitions that a [`Driver`] can drive.
pub(super) trait Driven: Send + Sync + 'static {
    /// Whether transitions are automatic.
    fn is_automatic(&self) -> bool;

    /// Does what is due by now; returns when to ask again.
    fn tick(&self) -> Option<Time>;

    /// Its driver.
    fn driver(&self) -> &Driver<Self>;
}

/// Drives what has automatic transitions, by a task that lives while something is due.
pub(super) struct Driver<T: ?Sized> {
    driven: OnceLock<Weak<T>>,
    task: Mutex<Option<AbortHandle>>,
    /// Something changed: ask again what is due.
    changed: Arc<Notify>,
}

impl<T: ?Sized> Default for Driver<T> {
    fn default() -> Self {
        Self { driven: OnceLock::new(), task: Mutex::default(), changed: Arc::default() }
    }
}

impl<T: Driven> Driver<T> {
    /// Says whose driver it is.
    pub(super) fn belongs_to(&self, driven: &Arc<T>) {
        // Once: it was made for this one.
        let _ = self.driven.set(Arc::downgrade(driven));
    }

    /// Starts the task, or tells it that something changed. Outside a runtime, and when they are not
    /// automatic, transitions stay lazy.
    pub(super) fn wake(&self) {
        if !self.driven.get().and_then(Weak::upgrade).is_some_and(|driven| driven.is_automatic()) {
            return;
        }
        let mut task = self.task();
        if task.as_ref().is_some_and(|task| !task.is_finished()) {
            return self.changed.notify_one(); // a task that is about to end looks once more
        }
        let (Some(driven), Ok(runtime)) = (self.driven.get(), Handle::try_current()) else { return };
        let drive = drive(driven.clone(), self.changed.clone());
        *task = Some(runtime.spawn(drive).abort_handle());
    }

    /// Whether there is a task, or a runtime that one could be started in.
    pub(super) fn can_drive(&self) -> bool {
        self.is_driving() || Handle::try_current().is_ok()
    }

    fn is_driving(&self) -> bool {
        self.task().as_ref().is_some_and(|task| !task.is_finished())
    }

    /// Ends the task, unless something changed since it asked what is due.
    fn ends(&self) -> bool {
        let mut task = self.task();
        // Under the lock: who wakes the driver after this starts another task.
        let told = pin!(self.changed.notified()).enable();
        if !told {
            *task = None;
        }
        !told
    }
}

impl<T: ?Sized> Driver<T> {
    fn task(&self) -> MutexGuard<'_, Option<AbortHandle>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> Drop for Driver<T> {
    fn drop(&mut self) {
        if let Some(task) = self.task().take() {
            task.abort();
        }
    }
}

impl Driven for Shared {
    fn is_automatic(&self) -> bool {
        self.machine.config().automatic
    }

    fn tick(&self) -> Option<Time> {
        // They may have been made lazy since the driver was started.
        if self.is_automatic() { self.machine.tick(&self.surroundings.world()) } else { None }
    }

    fn driver(&self) -> &Driver<Self> {
        &self.surroundings.driver
    }
}

async fn drive<T: Driven>(driven: Weak<T>, changed: Arc<Notify>) {
    loop {
        let Some(strong) = driven.upgrade() else { return };
        let due = strong.tick();
        if due.is_none() && strong.driver().ends() {
            return;
        }
        drop(strong);
        let wait = due.map_or(Duration::ZERO, |due| due.since(clock::now()));
        // Whether told or not: ask again.
        let _ = tokio::time::timeout(wait, changed.notified()).await;
    }
}
