//! The tower contract, checked for any layer.
//!
//! `tower::service_fn` is always ready and forgives everything, so a layer that is wrong about
//! readiness, wakers or dropping passes its tests and then panics, hangs or leaks over a real
//! client. Here a layer is put around inner services that are strict, and driven through what
//! happens in production: waiting, errors, retries, concurrent callers, dropped calls.
//!
//! ```
//! # use std::time::Duration;
//! # use tower::timeout::TimeoutLayer;
//! portcullis_testkit::laws!(timeout, || TimeoutLayer::new(Duration::from_secs(30)));
//! # fn main() {}
//! ```
//!
//! makes a module of tests, one for each [law](Law) and [host](HostKind), with paused time:
//! `timeout::over_buffer::drop` and so on. As a value, for a layer that is only made in a test:
//!
//! ```
//! # use std::time::Duration;
//! # use tower::timeout::TimeoutLayer;
//! use portcullis_testkit::laws::Laws;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let violations = Laws::new(|| TimeoutLayer::new(Duration::from_secs(30))).check().await;
//! assert!(violations.is_empty(), "{violations:?}");
//! # }
//! ```
//!
//! The bounds of [`Laws::new`] are laws too, kept by the compiler: the layer is
//! `Clone + Send + Sync + 'static`, its service `Clone + Send + 'static` although the inner service
//! is not `Sync`, and the response future `Send + 'static`.
//!
//! ```compile_fail,E0277
//! use portcullis_testkit::laws::Laws;
//! use tower::layer::layer_fn;
//!
//! fn needs_sync<S: Sync>(inner: S) -> S { inner }
//!
//! let laws = Laws::new(|| layer_fn(needs_sync));
//! ```
//!
//! # The layer to bring
//!
//! The closure makes a fresh layer for every experiment. Configure the layer so that it would let
//! ordinary traffic through, in virtual time:
//!
//! - it answers calls that take a second ([`Laws::waiting`] sets another time), so a timeout is longer;
//! - it lets four callers in at once, or lets them wait. Three of them may be waiting;
//! - one or two errors in a row do not open it, and two dropped calls do not either.
//!
//! It may retry, hedge, delay, change the error to `BoxError`, and refuse later calls: the law
//! [`Refusal`](Law::Refusal) provokes that on purpose.
//!
//! Some good layers break a law for a reason. `LoadShed` refuses where others wait, so it breaks
//! every law that has a call wait, [`Wakers`](Law::Wakers) first. Tower's `ConcurrencyLimitLayer` makes a new limit for each service, so
//! it breaks [`Shared`](Law::Shared) when told to be [`limited_to`](Laws::limited_to) a number.
//!
//! # Panics caught
//!
//! A panic in a law is reported as its violation. The panic hook still prints it.

mod bench;
mod exchange;
mod host;
mod http;
mod law;
mod macros;
mod marked;
mod rules;
mod subject;
mod task;

use std::{fmt, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tower::BoxError;
use tower_layer::Layer;
use tower_service::Service;

use self::{bench::Lab, subject::Subject};
pub use self::{
    exchange::{Accepts, Answer, Call, Exchange, Plain, Reads},
    host::Host,
    http::{Http, HttpRequest, HttpResponse},
    law::{HostKind, Law, Violation},
    marked::Marked,
};

/// How long a call is left waiting, to see how the layer waits. See [`Laws::waiting`].
pub const WAITING: Duration = Duration::from_secs(1);

/// The laws, ready to be checked for one layer. See the [module](self).
#[must_use = "the laws say nothing until they are checked"]
pub struct Laws<X: Exchange> {
    make: Box<dyn Fn() -> Subject<X>>,
    waiting: Duration,
    limited_to: Option<usize>,
    attempts: usize,
}

impl Laws<Plain> {
    /// The laws for a layer around any service: here one of [`Call`] to [`Answer`] or [`Marked`].
    pub fn new<L>(make: impl Fn() -> L + 'static) -> Self
    where
        L: Layer<Host<Plain>> + Clone + Send + Sync + 'static,
        L::Service: Service<Call, Error: Into<BoxError>, Future: Send + 'static> + Clone + Send + 'static,
        Plain: Reads<<L::Service as Service<Call>>::Response>,
        <L::Service as Service<Call>>::Response: Send + 'static,
    {
        Self::of(make)
    }
}

impl Laws<Http> {
    /// The laws for a layer around an HTTP service. The layer may change the bodies' types.
    pub fn http<L>(make: impl Fn() -> L + 'static) -> Self
    where
        L: Layer<Host<Http>> + Clone + Send + Sync + 'static,
        L::Service:
            Service<HttpRequest, Error: Into<BoxError>, Future: Send + 'static> + Clone + Send + 'static,
        Http: Reads<<L::Service as Service<HttpRequest>>::Response>,
        <L::Service as Service<HttpRequest>>::Response: Send + 'static,
    {
        Self::of(make)
    }
}

impl<X: Exchange> Laws<X> {
    /// The laws for a layer around a service of an [`Exchange`] of your own.
    pub fn of<L>(make: impl Fn() -> L + 'static) -> Self
    where
        L: Layer<Host<X>> + Clone + Send + Sync + 'static,
        L::Service: Service<<X as Exchange>::Request, Error: Into<BoxError>, Future: Send + 'static>
            + Clone
            + Send
            + 'static,
        X: Reads<<L::Service as Service<<X as Exchange>::Request>>::Response>,
        <L::Service as Service<<X as Exchange>::Request>>::Response: Send + 'static,
    {
        Self { make: Box::new(move || Subject::new(make())), waiting: WAITING, limited_to: None, attempts: 1 }
    }

    /// How long a call is left waiting, to see how the layer waits: less than the layer's timeouts.
    /// Default: [`WAITING`].
    pub fn waiting(mut self, waiting: Duration) -> Self {
        self.waiting = waiting;
        self
    }

    /// The layer lets at most this many calls run at once, over all services it makes and their
    /// clones, and lets or makes others wait or go away. Default: no such claim.
    pub fn limited_to(mut self, calls: usize) -> Self {
        self.limited_to = Some(calls);
        self
    }

    /// The layer makes at least this many attempts of a call that fails or takes half a second.
    /// Default: one, and so no claim.
    ///
    /// Say so for a retry or a hedge: [`FreshReadiness`](Law::FreshReadiness) is about the attempts
    /// after the first, and says nothing where there are none.
    pub fn attempts(mut self, attempts: usize) -> Self {
        self.attempts = attempts;
        self
    }
}

impl<X: Exchange> Laws<X> {
    /// Checks every law over every host that can show its breach.
    ///
    /// To be run on a current-thread runtime with paused time: elsewhere it takes real time. It is
    /// right on others too.
    pub async fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for law in Law::ALL {
            for &host in law.hosts() {
                violations.extend(self.check_law(law, host).await.err());
            }
        }
        violations
    }

    /// Checks one law over one host.
    ///
    /// # Errors
    ///
    /// The violation, if there is one.
    pub async fn check_law(&self, law: Law, host: HostKind) -> Result<(), Violation> {
        // Tower's own services are to panic where that is the point.
        let lab = Lab { laws: self, host, mends: law != Law::OnePermit };
        AssertUnwindSafe(rules::check(law, &lab))
            .catch_unwind()
            .await
            .unwrap_or_else(|panic| Err(task::panicked(&*panic)))
            .map_err(|detail| Violation { law, host, detail })
    }

    /// Checks one law over one host, on a runtime of its own with paused time.
    ///
    /// # Panics
    ///
    /// If the law is broken: this is what the tests of [`laws!`](crate::laws!) call.
    pub fn assert(&self, law: Law, host: HostKind) {
        self.assert_with(async || Vec::from_iter(self.check_law(law, host).await.err()));
    }

    /// Checks every law, on a runtime of its own with paused time.
    ///
    /// # Panics
    ///
    /// If any law is broken, with the full list.
    pub fn assert_all(&self) {
        self.assert_with(async || self.check().await);
    }

    #[expect(clippy::panic, reason = "an assertion for tests, as its name and its documentation say")]
    #[track_caller]
    fn assert_with(&self, check: impl AsyncFnOnce() -> Vec<Violation>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let violations = match runtime {
            Ok(runtime) => runtime.block_on(check()),
            Err(error) => panic!("no runtime to check the laws on: {error}"),
        };
        if !violations.is_empty() {
            let list: Vec<_> = violations.iter().map(ToString::to_string).collect();
            panic!("{}", list.join("\n"));
        }
    }
}

impl<X: Exchange> fmt::Debug for Laws<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Laws")
            .field("waiting", &self.waiting)
            .field("limited_to", &self.limited_to)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
