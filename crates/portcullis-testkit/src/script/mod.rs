//! A service that does what it is told: for tests that need a dependency to fail, hang, be slow or
//! be busy at a given moment, and to see afterwards how it was used.
//!
//! `tower::service_fn` is always ready and sees nothing. A scripted service is strict about
//! readiness, counts what is in flight, and notices futures that are dropped. Waiting is in tokio's
//! time, so under a paused clock it costs none.
//!
//! ```
//! use std::{convert::Infallible, time::Duration};
//! use portcullis_testkit::script::{self, Step};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Infallible> {
//! // The first call takes an hour; all others answer at once.
//! let (service, handle) = script::always(|n: &u32| Step::<u32, Infallible>::ok(n + 1));
//! handle.push(Step::ok(0).after(Duration::from_secs(3600)));
//!
//! assert_eq!(service.clone().oneshot(1).await?, 0);
//! assert_eq!(service.clone().oneshot(1).await?, 2);
//! assert_eq!(handle.tally().finished, 2);
//! assert_eq!(handle.take_requests(), [1, 1]);
//! # Ok(()) }
//! ```
//!
//! A call can be held and released, and an abandoned one is seen:
//!
//! ```
//! use std::convert::Infallible;
//! use portcullis_testkit::script::{self, Step};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let (service, handle) = script::of::<(), _, Infallible>([Step::ok("late").held(), Step::hang()]);
//!
//! let held = tokio::spawn(service.clone().oneshot(()));
//! tokio::task::yield_now().await;
//! assert!(handle.release());
//! assert_eq!(held.await.unwrap(), Ok("late"));
//!
//! let hanging = tokio::spawn(service.oneshot(()));
//! tokio::task::yield_now().await;
//! assert_eq!(handle.tally().in_flight, 1);
//! hanging.abort();
//! assert!(hanging.await.is_err());
//! assert_eq!((handle.tally().in_flight, handle.tally().dropped), (0, 1));
//! # }
//! ```

mod future;
mod handle;
mod ledger;
mod service;
mod step;

use std::sync::Arc;

use self::handle::Shared;
pub use self::{
    future::ResponseFuture,
    handle::Handle,
    ledger::{Misuse, Tally},
    service::Scripted,
    step::Step,
};

/// A service that follows a rule, and the handle to it.
pub fn always<Req, Res, Err>(
    rule: impl FnMut(&Req) -> Step<Res, Err> + Send + 'static,
) -> (Scripted<Req, Res, Err>, Handle<Req, Res, Err>) {
    let shared = Arc::new(Shared::new(Box::new(rule)));
    (Scripted::new(Arc::clone(&shared)), Handle::new(shared))
}

/// A service that follows a list, and the handle to it. Calls beyond the list hang.
pub fn of<Req, Res, Err>(
    steps: impl IntoIterator<Item = Step<Res, Err>>,
) -> (Scripted<Req, Res, Err>, Handle<Req, Res, Err>) {
    let (service, handle) = always(|_: &Req| Step::hang());
    steps.into_iter().for_each(|step| handle.push(step));
    (service, handle)
}
