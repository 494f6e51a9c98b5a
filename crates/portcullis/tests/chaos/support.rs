//! What the tests share.

use std::time::Duration;

use portcullis::{BoxError, Chaos, Registry, chaos::ChaosBuilder};
use portcullis_testkit::script::{self, Handle, Scripted, Step};

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// On, in a registry of its own.
pub(crate) fn chaos() -> ChaosBuilder {
    Chaos::builder("chaos").registry(&Registry::new()).enabled(true).seed(7)
}

/// A dependency that is well.
pub(crate) fn well() -> (Scripted<u32, u32, BoxError>, Handle<u32, u32, BoxError>) {
    script::always(|n: &u32| Step::ok(*n))
}
