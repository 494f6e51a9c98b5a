//! One connection, and the attempts to make it.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis_core::Time;
use tokio::sync::Mutex;
use tower_service::Service;

use super::{ConnectError, policy::Shared};
use crate::{BoxError, clock};

/// What all clones of a service share.
pub(super) struct Link<M, T, S> {
    target: T,
    pub(super) policy: Arc<Shared>,
    /// Held for as long as somebody connects: the others wait in line, and who drops his call leaves the line.
    state: Mutex<State<M, S>>,
    /// The number of the last attempt that ended. Who finds another than when he came need not try himself.
    ended: AtomicU64,
}

struct State<M, S> {
    connector: M,
    connection: Option<Connection<S>>,
    trouble: Option<Trouble>,
}

/// A connection, with the number of the attempt that made it.
#[derive(Clone)]
pub(super) struct Connection<S> {
    pub(super) number: u64,
    pub(super) service: S,
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

/// How the last attempt failed.
struct Trouble {
    failures: u32,
    wait: Duration,
    until: Time,
    source: Arc<BoxError>,
}

impl<M, T, S> Link<M, T, S> {
    pub(super) fn new(connector: M, target: T, policy: Arc<Shared>) -> Self {
        let state = State { connector, connection: None, trouble: None };
        Self { target, policy, state: Mutex::new(state), ended: AtomicU64::new(0) }
    }

    /// The number of the last attempt that ended.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Relaxed)
    }

    /// The connection there is, or one that is made now. `seen` is the number of the last attempt when the caller
    /// came, and `broken` that of the connection that broke under him.
    pub(super) async fn connect(&self, seen: u64, broken: Option<u64>) -> Result<Connection<S>, ConnectError>
    where
        M: Service<T, Response = S, Error: Into<BoxError>>,
        T: Clone,
        S: Clone,
    {
        let mut state = self.state.lock().await;
        if let Some(broken) = broken {
            self.forget(&mut state, broken);
        }
        loop {
            if let Some(connection) = &state.connection {
                return Ok(connection.clone());
            }
            let Some(trouble) = &state.trouble else { break };
            let left = trouble.until.since(clock::now());
            let waits = self.policy.config().wait;
            // Who waited for the attempt that failed has its answer.
            if self.ended() != seen && !waits {
                return Err(self.error(trouble, left));
            }
            if left.is_zero() {
                break;
            }
            if !waits {
                return Err(self.error(trouble, left));
            }
            tokio::time::sleep(left).await;
        }
        self.attempt(&mut state).await
    }

    async fn attempt(&self, state: &mut State<M, S>) -> Result<Connection<S>, ConnectError>
    where
        M: Service<T, Response = S, Error: Into<BoxError>>,
        T: Clone,
        S: Clone,
    {
        let connector = &mut state.connector;
        let made = async {
            poll_fn(|cx| connector.poll_ready(cx)).await.map_err(Into::into)?;
            connector.call(self.target.clone()).await.map_err(Into::into)
        };
        let limit = self.policy.config().connect_timeout;
        let made = tokio::time::timeout(limit, made).await.unwrap_or_else(|elapsed| Err(elapsed.into()));
        let number = self.ended.fetch_add(1, Relaxed) + 1;
        match made {
            Ok(service) => {
                let connection = Connection { number, service, proven: Arc::default() };
                state.connection = Some(connection.clone());
                self.policy.connected();
                Ok(connection)
            }
            Err(source) => Err(self.failed(state, source)),
        }
    }

    /// The connection of this number was never ready, but broke at once: as if it had not been made. Of all who
    /// have it, the first to find out says so; the others get what came of that.
    pub(super) async fn spoilt(&self, number: u64, source: BoxError) -> Result<Connection<S>, ConnectError>
    where
        S: Clone,
    {
        let mut state = self.state.lock().await;
        if self.forget(&mut state, number) {
            return Err(self.failed(&mut state, source));
        }
        match (&state.connection, &state.trouble) {
            (Some(connection), _) => Ok(connection.clone()),
            (None, Some(trouble)) => Err(self.error(trouble, trouble.until.since(clock::now()))),
            (None, None) => Err(self.failed(&mut state, source)),
        }
    }

    /// The connection of this number broke; whether it was still there.
    fn forget(&self, state: &mut State<M, S>, number: u64) -> bool {
        let Some(broken) = state.connection.take_if(|connection| connection.number == number) else {
            return false;
        };
        self.policy.lost(true);
        if broken.is_proven() {
            state.trouble = None;
        }
        true
    }

    fn failed(&self, state: &mut State<M, S>, source: BoxError) -> ConnectError {
        let before = state.trouble.take();
        let (failures, previous) = before.map_or((0, Duration::ZERO), |it| (it.failures, it.wait));
        let failures = failures.saturating_add(1);
        let wait = self.policy.wait(failures, previous);
        let trouble = Trouble { failures, wait, until: clock::now() + wait, source: Arc::new(source) };
        let error = self.error(&trouble, wait);
        state.trouble = Some(trouble);
        self.policy.failed(failures);
        error
    }

    fn error(&self, trouble: &Trouble, left: Duration) -> ConnectError {
        ConnectError {
            policy: self.policy.name().clone(),
            failures: trouble.failures,
            retry_after: left,
            source: trouble.source.clone(),
        }
    }
}

impl<M, T, S> Drop for Link<M, T, S> {
    fn drop(&mut self) {
        if self.state.get_mut().connection.is_some() {
            self.policy.lost(false);
        }
    }
}
