//! What several traps need.

use std::time::Duration;

use portcullis::{BoxError, Rejection};
use portcullis_testkit::script::{self, Handle, Scripted, Step};

/// A dependency that takes a number and gives it back.
pub(crate) type Dependency = Scripted<u32, u32, BoxError>;

/// Steers it.
pub(crate) type Steering = Handle<u32, u32, BoxError>;

/// A dependency that works.
pub(crate) fn healthy() -> (Dependency, Steering) {
    script::always(|n: &u32| Step::ok(*n))
}

/// A dependency that fails.
pub(crate) fn failing() -> (Dependency, Steering) {
    script::always(|_: &u32| Step::err("down".into()))
}

/// A dependency that never answers.
pub(crate) fn hanging() -> (Dependency, Steering) {
    script::always(|_: &u32| Step::hang())
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A time that a breaker told, which it keeps to the millisecond, rounded down.
pub(crate) fn told(time: Option<Duration>) -> Duration {
    let nanos = time.expect("it says when").as_nanos();
    ms(u64::try_from(nanos.div_ceil(1_000_000)).expect("not that long"))
}

/// The rejection that a call ended with.
pub(crate) fn rejection<T>(result: Result<T, BoxError>) -> Rejection {
    match result {
        Ok(_) => panic!("it was let through"),
        Err(error) => Rejection::find(&*error).unwrap_or_else(|| panic!("no rejection: {error}")).clone(),
    }
}

/// Whether a call was refused.
pub(crate) fn refused<T>(result: &Result<T, BoxError>) -> bool {
    result.as_ref().is_err_and(|error| Rejection::find(&**error).is_some())
}

/// Lets every other task run until it waits; no time goes by.
pub(crate) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}
