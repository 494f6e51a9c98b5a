//! What became of each attempt, seen from below the retry.

use std::{
    error::Error,
    iter::successors,
    sync::{Arc, Mutex, PoisonError},
};

use hyper_util::client::legacy;
use portcullis::{BoxError, Delivery, FailureKind, HttpClient, Protocol, Verdict};

/// The errors of the attempts so far. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Attempts(Arc<Mutex<Vec<Failed>>>);

/// How an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// By our judgement; `None` when it says nothing about the dependency.
    pub judged: Option<(FailureKind, Delivery)>,
    /// hyper-util had a connection for it.
    pub connected: bool,
    /// hyper gave it up before it began.
    pub canceled: bool,
    /// All that the error says, for whoever has to find out.
    pub chain: String,
}

impl Attempts {
    /// Notes an error on its way up; for `map_err`.
    pub fn note<E: Into<BoxError>>(&self) -> impl Fn(E) -> BoxError + Clone + use<E> {
        let attempts = self.0.clone();
        move |error| {
            let error = error.into();
            attempts.lock().unwrap_or_else(PoisonError::into_inner).push(Failed::of(&error));
            error
        }
    }

    /// The errors so far, the oldest first; these are forgotten.
    pub fn take(&self) -> Vec<Failed> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Failed {
    fn of(error: &BoxError) -> Self {
        let chain = || successors(Some(&**error as &(dyn Error + 'static)), |&error| error.source());
        let connected = |error: &legacy::Error| !error.is_connect() && error.connect_info().is_some();
        Self {
            judged: judge(error),
            connected: chain().filter_map(|error| error.downcast_ref()).all(connected),
            canceled: chain().filter_map(|error| error.downcast_ref()).any(hyper::Error::is_canceled),
            chain: chain().map(|error| format!("{error:?}")).collect::<Vec<_>>().join(" <- "),
        }
    }
}

/// The judgement that a retry, or a breaker, makes of an error.
pub fn judge(error: &BoxError) -> Option<(FailureKind, Delivery)> {
    let protocol = HttpClient::default();
    let verdict: Verdict =
        Protocol::<http::Request<()>, http::Response<String>, BoxError>::judge_error(&protocol, error);
    verdict.failure().map(|failure| (failure.kind, failure.delivery))
}
