//! What the tests share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis::{
    BoxError, Failure, FailureKind, FromRejection, PolicyKind, Registry, Rejection, Throttle, Ticket,
    Verdict, throttle::ThrottleBuilder,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One that decides by chance, and the same every time, in a registry of its own.
pub(crate) fn builder() -> ThrottleBuilder {
    Throttle::builder("throttle").seed(1).registry(&Registry::new())
}

pub(crate) fn throttle() -> Throttle {
    builder().build().unwrap()
}

pub(crate) fn failure(kind: FailureKind) -> Verdict {
    Failure::new(kind).into()
}

/// As if so many calls had been refused by the dependency, whatever is held back on the way.
pub(crate) fn refused_by_dependency(throttle: &Throttle, calls: u32) {
    (0..calls).for_each(|_| end(throttle, failure(FailureKind::RateLimited)));
}

/// As if there had been calls until one came through, which ended so.
pub(crate) fn end(throttle: &Throttle, verdict: Verdict) {
    let tickets = std::iter::repeat_with(|| throttle.try_admit());
    let mut ticket = tickets.take(10_000).find_map(Result::ok).unwrap();
    ticket.settle(verdict);
}

/// An error that says what it is.
#[derive(Debug)]
pub(crate) enum Error {
    Of(FailureKind),
    Rejected(Rejection),
}

impl FromRejection for Error {
    fn from_rejection(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }

    fn as_rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Of(_) => None,
            Self::Rejected(rejection) => Some(rejection),
        }
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Of(kind) => failure(*kind),
            Self::Rejected(rejection) => rejection.verdict(),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Error {}

/// Whether a call was held back by a throttle.
pub(crate) fn held_back<T>(result: &Result<T, BoxError>) -> bool {
    let rejection = result.as_ref().err().and_then(|error| Rejection::find(&**error));
    rejection.is_some_and(|rejection| rejection.kind() == PolicyKind::Throttle)
}

/// Counts.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<AtomicU64>);

impl Counter {
    pub(crate) fn bump(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
