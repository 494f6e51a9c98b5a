//! Warm restart: what policies have found out, from one process to the next.
//!
//! A new process knows nothing: it sends calls to a dependency that its predecessor had just found broken, grants a
//! rate anew that was used up, and looks for limits that were known. With [`Registry::save`](crate::Registry::save) at
//! the end, or every now and then, and [`Registry::restore`](crate::Registry::restore) at the start, it goes on where
//! the other was.
//!
//! ```
//! # #[cfg(feature = "restart")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use portcullis::{Breaker, Registry};
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("orders.json");
//! # let start = || {
//! let registry = Registry::new();
//! let breaker = Breaker::builder("inventory").registry(&registry).build()?;
//! let restored = registry.restore(&path)?; // where there is no file: nothing
//! println!("{restored}");
//! # Ok::<_, Box<dyn std::error::Error>>((registry, breaker, restored))
//! # };
//!
//! // … the service runs, and the inventory breaks …
//! # let (registry, breaker, _) = start()?;
//! breaker.trip();
//! registry.save(&path)?;
//!
//! # let (_registry, breaker, restored) = start()?;
//! // The next process begins with a breaker that is open for as long as the other was to be.
//! assert!(breaker.is_refusing());
//! assert_eq!(restored.restored.len(), 1);
//! # Ok(()) }
//! # #[cfg(not(feature = "restart"))] fn main() {}
//! ```
//!
//! # What is taken over
//!
//! | policy | what | for how long |
//! |---|---|---|
//! | breakers, also by key | open and for how long, overrides by hand, how often in a row | until they end |
//! | breakers | the windows of a closed one | [`FRESH`] |
//! | rate limits, also by key | what was taken | until it has come back |
//! | budgets of retries | what was spent | a share until it has come back, others for [`FRESH`] |
//! | adaptive limits, also by key | the limit, and what is usual | [`LIMIT_FRESH`] |
//! | adaptive timeouts, hedges by percentile | how long calls took | [`FRESH`] |
//! | throttles, also by key | the window | as long as the window |
//! | outlier ejection | who is ejected, and how often | until it ends |
//! | all that can be stopped | that it is, and why | until it is released |
//!
//! Times go by the time of day at which the file was written. Where that is yet to come, because a clock was set back,
//! no time has gone by. Totals are not taken over: they count what this process did, and a restart is seen in them, as
//! those who read metrics expect. Neither is what is in flight.
//!
//! Nor what retries and hedges by key know of each key: the budget of one key is small, and what was spent of it is back
//! within seconds; and how long the calls of one key took is a histogram, which for thousands of keys makes a file of
//! megabytes, and is known anew after some calls of that key. Keys that spend from a [budget](crate::RetryBudget) with
//! a name of its own go on with that one, as all do that share it.
//!
//! What is restored counts as what was found out by oneself: so restore before calls come, when the policies are made.
//! Who has seen failures of its own keeps to these. Endpoints and keys are restored by their names: endpoints that are
//! there by then, and keys of text or numbers.
//!
//! # When not
//!
//! When whoever starts the process does so *because* something is stuck, and expects a fresh start of it: delete the
//! file then. And among several processes that live side by side this shares nothing.
//!
//! # The file
//!
//! JSON with a version and a check sum, of which the content may change: it is to be read by this library. It is
//! written beside the one before, flushed to the disk, and put in its place by one step, so that there is always a
//! whole one. One that is damaged or of a later version is refused and renamed (`orders.json.corrupt`), so that it is
//! there for who wants to know, and in nobody's way. It has the names of policies, endpoints and keys in it, and can
//! be read by its owner only.

#[cfg(feature = "restart")]
mod error;
#[cfg(feature = "restart")]
mod file;
pub(crate) mod keys;
#[cfg(feature = "restart")]
mod registry;
#[cfg(feature = "restart")]
mod restored;
mod saved;
#[cfg(all(test, feature = "restart"))]
#[expect(clippy::unwrap_used, reason = "tests, and what they share")]
mod tests;

use std::time::Duration;

pub use saved::{Kept, Saved};
#[cfg(feature = "restart")]
pub use {
    error::RestartError,
    restored::{Restored, Which},
};

/// For how long a window of the last calls says something: as long as a restart takes that is one.
pub const FRESH: Duration = Duration::from_secs(60);

/// For how long a limit that was found is a better first guess than the one in the settings.
pub const LIMIT_FRESH: Duration = Duration::from_secs(10 * 60);
