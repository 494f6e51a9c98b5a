use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use tower::{BoxError, ServiceExt};

use super::{
    Exchange, Host, HostKind, Laws, Marked,
    subject::{Subject, Subjected},
    task::{PATIENCE, Task},
};
use crate::script::{self, Handle, Step};

/// What a law answers: nothing, or how it was broken.
pub(super) type Finding = Result<(), String>;

/// The answer to a call: the number in the response.
pub(super) type Answered = Result<u64, BoxError>;

/// A fresh layer over a fresh host, with a handle to each.
pub(super) struct Bench<X: Exchange> {
    subject: Subject<X>,
    host: Host<X>,
    pub(super) script: Handle<X::Request, X::Response, X::Error>,
    pub(super) permits: Option<Arc<Semaphore>>,
}

/// What the laws are checked on: makes one bench after another.
pub(super) struct Lab<'a, X: Exchange> {
    pub(super) laws: &'a Laws<X>,
    pub(super) host: HostKind,
    /// Whether the host takes calls without readiness. See [`Host::new`].
    pub(super) mends: bool,
}

impl<X: Exchange> Lab<'_, X> {
    /// A bench whose inner service answers everything at once.
    pub(super) fn bench(&self) -> Bench<X> {
        let (leaf, script) = script::always(|request| answer::<X>(request));
        let (host, permits) = Host::new(self.host, &leaf, self.mends);
        Bench { subject: (self.laws.make)(), host, script, permits }
    }

    pub(super) fn waiting(&self) -> Duration {
        self.laws.waiting
    }
}

impl<X: Exchange> Bench<X> {
    /// A service made by layering anew.
    pub(super) fn service(&self) -> Subjected<X> {
        self.subject.layer(self.host.clone())
    }

    /// From now on the inner service treats every call like this.
    pub(super) fn always(&self, rule: impl Fn(&X::Request) -> Step<X::Response, X::Error> + Send + 'static) {
        self.script.otherwise(rule);
    }

    /// An error if anything of the inner service is still taken.
    pub(super) fn released(&self) -> Finding {
        let tally = self.script.tally();
        let permits = self.permits.as_ref().map_or(1, |permits| permits.available_permits());
        match (tally.in_flight, tally.reserved, permits) {
            (0, 0, 1) => Ok(()),
            (0, 0, _) => Err("the host's permit was not given back".into()),
            (0, reserved, _) => Err(format!("{reserved} inner instance(s) are still kept ready")),
            (in_flight, ..) => Err(format!("{in_flight} inner call(s) are still in flight")),
        }
    }

    /// Whether the script was called without readiness: then readiness that nobody used is no news.
    pub(super) fn misused(&self) -> bool {
        !self.script.tally().misuses.is_empty()
    }
}

/// The inner service's step for a request that it answers at once.
pub(super) fn answer<X: Exchange>(request: &X::Request) -> Step<X::Response, X::Error> {
    Step::ok(X::response(X::number(request)))
}

/// The inner service's step for a request that it fails, marked with the request's number.
pub(super) fn fail<X: Exchange>(request: &X::Request) -> Step<X::Response, X::Error> {
    Step::err(X::error(Marked(X::number(request))))
}

/// A call on a task of its own: polls the service ready, then calls it.
pub(super) fn spawn<X: Exchange>(service: &Subjected<X>, number: u64) -> Task<Answered> {
    Task::spawn(service.clone().oneshot(X::request(number)))
}

/// A call and its answer; an error if there is none in good time, or a panic instead.
pub(super) async fn finish<X: Exchange>(service: &Subjected<X>, number: u64) -> Result<Answered, String> {
    spawn::<X>(service, number).within(PATIENCE).await
}

/// A call that must succeed, whatever the response.
pub(super) async fn succeed<X: Exchange>(service: &Subjected<X>, number: u64) -> Finding {
    match finish::<X>(service, number).await? {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("a call failed: {}", chain(&error))),
    }
}

/// An error with all its sources.
pub(super) fn chain(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Puts the circumstances before a finding.
pub(super) trait When {
    fn when(self, circumstances: &str) -> Self;
}

impl<T> When for Result<T, String> {
    fn when(self, circumstances: &str) -> Self {
        self.map_err(|detail| format!("{circumstances}: {detail}"))
    }
}
