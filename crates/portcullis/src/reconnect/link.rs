//! One connection, and the attempts to make it.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use portcullis_core::Time;
use tower_service::Service;

use super::{ConnectError, attempt::Attempt, bell::Bell, policy::Shared};
use crate::{BoxError, clock};

/// What all clones of a service share.
pub(super) struct Link<M, T, S> {
    target: T,
    pub(super) policy: Arc<Shared>,
    /// Locked before the bell, and never while somebody else's code runs.
    state: Mutex<State<M, S>>,
    bell: Arc<Bell>,
    /// Rings it.
    waker: Waker,
}

struct State<M, S> {
    trial: Trial<M, S>,
    /// The number of attempts that have ended.
    ended: u64,
    connection: Option<Connection<S>>,
    trouble: Option<Trouble>,
    /// Connections in a row that were ready, and broke before they were [stable](super::Config::stable_after).
    breaks: u32,
}

impl<M, S> State<M, S> {
    /// The attempt is over.
    fn end(&mut self, connector: M) {
        self.trial = Trial::None(connector);
        self.ended += 1;
    }
}

/// The connector, and what it is about.
enum Trial<M, S> {
    /// Nobody connects.
    None(M),
    /// Whoever waits and is woken first polls this on.
    Running(M, Attempt<S>),
    /// Somebody does, right now.
    Polled,
}

/// A connection, with the number of the attempt that made it.
#[derive(Clone)]
pub(super) struct Connection<S> {
    pub(super) number: u64,
    pub(super) service: S,
    made: Time,
    /// Whether it was ready once. Until then nobody knows what it is worth.
    proven: Arc<AtomicBool>,
}

impl<S> Connection<S> {
    pub(super) fn is_proven(&self) -> bool {
        self.proven.load(Relaxed)
    }

    pub(super) fn prove(&self) {
        if !self.is_proven() {
            self.proven.store(true, Relaxed);
        }
    }
}

/// How the last attempt failed, or its connection broke.
struct Trouble {
    failures: u32,
    wait: Duration,
    until: Time,
    source: Arc<BoxError>,
}

/// What became of asking for a connection.
enum Asked<S> {
    Answered(Result<Connection<S>, ConnectError>),
    /// The next attempt may be made in so long.
    Later(Duration),
}

impl<M, T, S> Link<M, T, S> {
    pub(super) fn new(connector: M, target: T, policy: Arc<Shared>) -> Self {
        let trial = Trial::None(connector);
        let state = State { trial, ended: 0, connection: None, trouble: None, breaks: 0 };
        let bell = Arc::<Bell>::default();
        let waker = Waker::from(bell.clone());
        Self { target, policy, state: Mutex::new(state), bell, waker }
    }

    /// The connection there is, or one that is made now.
    pub(super) async fn connect(self: Arc<Self>) -> Result<Connection<S>, ConnectError>
    where
        M: Service<T, Response = S, Error: Into<BoxError>, Future: Send> + 'static,
        T: Clone + 'static,
        S: Clone + 'static,
    {
        loop {
            let mut place = None;
            match poll_fn(|cx| self.poll_connect(&mut place, cx)).await {
                Asked::Answered(result) => return result,
                Asked::Later(left) => {
                    drop(place);
                    tokio::time::sleep(left).await;
                }
            }
        }
    }

    fn poll_connect<'a>(
        &'a self,
        place: &mut Option<Place<'a, M, T, S>>,
        cx: &mut Context<'_>,
    ) -> Poll<Asked<S>>
    where
        M: Service<T, Response = S, Error: Into<BoxError>, Future: Send> + 'static,
        T: Clone + 'static,
        S: Clone + 'static,
    {
        let config = self.policy.config();
        loop {
            let waker = cx.waker().clone();
            let mut state = self.lock();
            if let Some(connection) = &state.connection {
                return Poll::Ready(Asked::Answered(Ok(connection.clone())));
            }
            if let Some(trouble) = &state.trouble {
                let left = trouble.until.since(clock::now());
                // Who waited for the attempt that failed has its answer.
                let waited = place.as_ref().is_some_and(|place| place.joined != state.ended);
                if waited || !left.is_zero() && !config.wait {
                    return Poll::Ready(Asked::Answered(Err(self.error(trouble, left))));
                }
                if !left.is_zero() {
                    return Poll::Ready(Asked::Later(left));
                }
            }
            let place =
                place.get_or_insert_with(|| Place { link: self, number: self.bell.join(), joined: 0 });
            place.joined = state.ended;
            let before = self.bell.register(place.number, waker);
            let trial = std::mem::replace(&mut state.trial, Trial::Polled);
            drop(state);
            drop(before);
            let (connector, attempt) = match trial {
                Trial::None(connector) => (connector, None),
                Trial::Running(connector, attempt) => (connector, Some(attempt)),
                Trial::Polled => return Poll::Pending,
            };
            let attempt = attempt.unwrap_or_else(|| Attempt::new(config.connect_timeout));
            ready!(Polling { link: self, parts: Some((connector, attempt)) }.poll());
        }
    }

    /// An attempt has ended.
    fn end(&self, connector: M, made: Result<S, BoxError>) {
        match made {
            Ok(service) => {
                // First: who finds it may find it broken, and counts that.
                self.policy.connected();
                let mut state = self.lock();
                state.end(connector);
                let (number, made, proven) = (state.ended, clock::now(), Arc::default());
                state.connection = Some(Connection { number, service, made, proven });
                drop(state);
                self.policy.tell_connected();
                self.bell.ring();
            }
            Err(source) => {
                let mut back = GiveBack { link: self, connector: Some(connector) };
                let failures = self.trouble(source, true, |state| {
                    if let Some(connector) = back.connector.take() {
                        state.end(connector);
                    }
                });
                self.policy.failed(failures);
                self.bell.ring();
            }
        }
    }

    /// The connection of this number broke. Of all who have it, the first to find out says so. One that
    /// was never ready is as one that was not made.
    pub(super) fn broke(&self, number: u64, source: BoxError) {
        let taken = self.lock().connection.take_if(|connection| connection.number == number);
        let Some(broken) = taken else { return };
        self.policy.lost(true);
        if !broken.is_proven() {
            let failures = self.trouble(source, true, |_| ());
            self.policy.failed(failures);
            return;
        }
        let is_stable = clock::now().since(broken.made) >= self.policy.config().stable_after;
        let mut state = self.lock();
        state.trouble = None;
        state.breaks = if is_stable { 0 } else { state.breaks.saturating_add(1) };
        // One is an accident.
        let is_flapping = state.breaks > 1;
        drop(state);
        if is_flapping {
            self.trouble(source, false, |_| ());
        }
    }

    /// What there is after a connection that was never ready.
    pub(super) fn instead(&self) -> Option<Result<Connection<S>, ConnectError>>
    where
        S: Clone,
    {
        let state = self.lock();
        match (&state.connection, &state.trouble) {
            (Some(connection), _) => Some(Ok(connection.clone())),
            (None, Some(trouble)) => Some(Err(self.error(trouble, trouble.until.since(clock::now())))),
            (None, None) => None,
        }
    }

    /// Puts off the next attempt, after one that failed or a connection that broke; how many attempts have failed
    /// in a row.
    fn trouble(&self, source: BoxError, failed: bool, and: impl FnOnce(&mut State<M, S>)) -> u32 {
        let state = self.lock();
        let before = state.trouble.as_ref().map_or((0, Duration::ZERO), |it| (it.failures, it.wait));
        let breaks = state.breaks.saturating_sub(1);
        drop(state);
        let (failures, previous) = (before.0.saturating_add(u32::from(failed)), before.1);
        // It may ask a function of the user's.
        let wait = self.policy.wait(failures.saturating_add(breaks), previous);
        let trouble = Trouble { failures, wait, until: clock::now() + wait, source: Arc::new(source) };
        let mut state = self.lock();
        let old = state.trouble.replace(trouble);
        and(&mut state);
        drop(state);
        drop(old);
        failures
    }

    fn error(&self, trouble: &Trouble, left: Duration) -> ConnectError {
        ConnectError {
            policy: self.policy.name().clone(),
            failures: trouble.failures,
            retry_after: left,
            source: trouble.source.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<M, S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one who waits for an attempt. An attempt for which nobody waits any more is dropped.
struct Place<'a, M, T, S> {
    link: &'a Link<M, T, S>,
    number: u64,
    /// How many attempts had ended when he came to wait for this one.
    joined: u64,
}

impl<M, T, S> Drop for Place<'_, M, T, S> {
    fn drop(&mut self) {
        let mut state = self.link.lock();
        let (was_last, waker) = self.link.bell.leave(self.number);
        if !was_last {
            drop(state);
            drop(waker);
            return;
        }
        let (trial, attempt) = match std::mem::replace(&mut state.trial, Trial::Polled) {
            Trial::Running(connector, attempt) => (Trial::None(connector), Some(attempt)),
            other => (other, None),
        };
        state.trial = trial;
        drop(state);
        drop((attempt, waker));
    }
}

/// An attempt that is polled, outside of the lock.
struct Polling<'a, M, T, S> {
    link: &'a Link<M, T, S>,
    parts: Option<(M, Attempt<S>)>,
}

impl<M, T, S> Polling<'_, M, T, S>
where
    M: Service<T, Response = S, Error: Into<BoxError>, Future: Send> + 'static,
    T: Clone + 'static,
    S: 'static,
{
    /// Gets on with the attempt; ready when it has ended.
    fn poll(mut self) -> Poll<()> {
        let Some((connector, attempt)) = &mut self.parts else { return Poll::Pending };
        self.link.bell.silence();
        let cx = &mut Context::from_waker(&self.link.waker);
        let made = attempt.poll(connector, &self.link.target, cx);
        let Some((connector, attempt)) = self.parts.take() else { return Poll::Pending };
        match made {
            Poll::Ready(made) => {
                drop(attempt);
                self.link.end(connector, made);
                Poll::Ready(())
            }
            Poll::Pending => {
                self.link.lock().trial = Trial::Running(connector, attempt);
                self.link.bell.echo();
                Poll::Pending
            }
        }
    }
}

/// A connector that panics has failed; who polled it panics, and the others get an error.
impl<M, T, S> Drop for Polling<'_, M, T, S> {
    fn drop(&mut self) {
        if let Some((connector, attempt)) = self.parts.take() {
            drop(attempt);
            self.link.end(connector, Err("the connector panicked".into()));
        }
    }
}

/// A connector whose attempt has failed; it is not lost when the backoff panics.
struct GiveBack<'a, M, T, S> {
    link: &'a Link<M, T, S>,
    connector: Option<M>,
}

impl<M, T, S> Drop for GiveBack<'_, M, T, S> {
    fn drop(&mut self) {
        if let Some(connector) = self.connector.take() {
            self.link.lock().end(connector);
            self.link.bell.ring();
        }
    }
}

impl<M, T, S> Drop for Link<M, T, S> {
    fn drop(&mut self) {
        if self.lock().connection.is_some() {
            self.policy.lost(false);
        }
    }
}
