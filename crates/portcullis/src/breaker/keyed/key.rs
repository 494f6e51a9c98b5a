//! One key's handle.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use portcullis_core::{
    Name, Rejection,
    breaker::{Env, Machine, State, Status},
};

use super::{KeyedBreakerTicket, one::One};
use crate::{
    FromRejection,
    breaker::{by_hand::by_hand, policy::run},
    clock,
    keyed::Key,
};

/// The breaker of one key of a [`KeyedBreaker`](super::KeyedBreaker): to look at, to take over by hand, and
/// to call without looking the key up each time.
///
/// While it lives, its key is not forgotten, and takes a place of
/// [`max_keys`](super::KeyedBreakerBuilder::max_keys). Calls through it do not count as use.
///
/// ```
/// use portcullis::{KeyedBreaker, breaker::State};
///
/// let hosts = KeyedBreaker::new("upstream");
/// let host = hosts.get_or_make("host-a").expect("there is room");
/// host.isolate();
/// assert_eq!(&**host.name(), "upstream/host-a");
/// assert_eq!(hosts.try_admit("host-a").unwrap_err().policy(), host.name());
/// assert!(hosts.try_admit("host-b").is_ok());
/// host.release();
/// assert_eq!(host.state(), State::Closed);
/// ```
pub struct KeyBreaker<K: Key = Box<str>>(Arc<One<K>>);

by_hand!(KeyBreaker<K: Key>);

impl<K: Key> KeyBreaker<K> {
    pub(super) fn new(one: Arc<One<K>>) -> Self {
        Self(one)
    }

    /// The key.
    pub fn key(&self) -> &K {
        self.0.key()
    }

    /// The key's name in rejections and events: that of the keyed breaker, a slash, and the key.
    pub fn name(&self) -> &Name {
        &self.0.odd().name
    }

    /// The state as it was left by the last call.
    pub fn state(&self) -> State {
        self.0.value().machine.state()
    }

    /// Everything there is to see.
    pub fn status(&self) -> Status {
        self.0.value().machine.status(clock::now())
    }

    /// Asks for one call.
    ///
    /// # Errors
    ///
    /// The rejection, when the breaker does not let the call through.
    pub fn try_admit(&self) -> Result<KeyedBreakerTicket<K>, Rejection> {
        self.admit(false)
    }

    /// Asks for a further attempt of a call that failed: with
    /// [`only_retries`](super::KeyedBreakerBuilder::only_retries), these alone are refused.
    ///
    /// # Errors
    ///
    /// The rejection, when the breaker does not let the call through.
    pub fn try_admit_retry(&self) -> Result<KeyedBreakerTicket<K>, Rejection> {
        self.admit(true)
    }

    fn admit(&self, retry: bool) -> Result<KeyedBreakerTicket<K>, Rejection> {
        let one = &self.0;
        one.value().common.enter()?;
        let admission = match one.value().machine.admit_closed() {
            Some(admission) => admission,
            None => one.admit_slow(retry)?,
        };
        Ok(KeyedBreakerTicket::of_key(one.clone(), admission))
    }

    /// Runs `call` if the breaker lets it, and records how it ended, as
    /// [`Breaker::call`](crate::Breaker::call) does.
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
        run(self.try_admit(), call).await
    }

    fn machine(&self) -> &Machine {
        &self.0.value().machine
    }

    fn world(&self) -> impl Env + '_ {
        self.0.world()
    }

    fn override_with(&self, state: State, time: Option<Duration>) {
        let one = self.0.value();
        one.machine.override_with(state, time, &self.0.world());
        // One that was there may end at another time, which is no transition.
        one.common.watch(&self.0);
    }
}

impl<K: Key> Clone for KeyBreaker<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Key> fmt::Debug for KeyBreaker<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBreaker")
            .field("key", &format_args!("{}", self.key()))
            .field("state", &self.state())
            .finish()
    }
}
