//! A thread for one call.

use std::{fmt, future::Future};

use super::{caller::Caller, in_place, job, policy::Shared};
use crate::{FromRejection, carried::Carried, clock, shard::Pinned};

/// A thread of a pool for one call. Dropped, it gives the thread back.
///
/// Work that it was given to keeps the thread until it has ended, whether or not its caller is still there.
#[must_use = "dropped, it gives the thread back"]
pub struct ThreadPoolTicket {
    shared: Pinned<Shared>,
    /// Permits taken: none while the pool is disabled.
    taken: u32,
}

impl ThreadPoolTicket {
    pub(super) fn new(shared: Pinned<Shared>, taken: u32) -> Self {
        Self { shared, taken }
    }

    pub(super) fn shared(&self) -> Pinned<Shared> {
        self.shared.clone()
    }

    /// Whether the call runs on a thread of the pool; it does not while the pool is
    /// [disabled](crate::Mode::Disabled).
    pub fn is_isolated(&self) -> bool {
        self.taken > 0
    }

    /// Runs `work` on the thread; see [`ThreadPool::run`](super::ThreadPool::run).
    ///
    /// # Errors
    ///
    /// What `work` returned, or the rejection if it panicked.
    pub async fn run<F, T, E>(self, work: F) -> Result<T, E>
    where
        F: FnOnce() -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: FromRejection + Send + 'static,
    {
        self.run_with(|_| work()).await
    }

    /// Runs `work` on the thread; see [`ThreadPool::run_with`](super::ThreadPool::run_with).
    ///
    /// # Errors
    ///
    /// What `work` returned, or the rejection if it panicked.
    pub async fn run_with<F, T, E>(self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Caller<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: FromRejection + Send + 'static,
    {
        if !self.is_isolated() {
            return in_place::run(work).await;
        }
        job::run(self, work).await.unwrap_or_else(|rejection| Err(E::from_rejection(rejection)))
    }

    /// Runs the future that `call` makes on the thread; see [`ThreadPool::call`](super::ThreadPool::call).
    ///
    /// # Errors
    ///
    /// What the future returned, or the rejection if it panicked.
    pub async fn call<F, Fut, T, E>(self, call: F) -> Result<T, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>>,
        T: Send + 'static,
        E: FromRejection + Send + 'static,
    {
        if !self.is_isolated() {
            return call().await;
        }
        job::call(self, Carried::current(), call)
            .await
            .unwrap_or_else(|rejection| Err(E::from_rejection(rejection)))
    }
}

impl Drop for ThreadPoolTicket {
    fn drop(&mut self) {
        self.shared.permits.release(self.taken, clock::now);
    }
}

impl fmt::Debug for ThreadPoolTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolTicket").field("pool", self.shared.name()).finish_non_exhaustive()
    }
}
