//! The bulkhead by key: many keys share a limit on how much runs at a time, and none takes all of it.
//!
//! [`FairSemaphore`] gives out permits to keys that each have an [`Account`]. Where every caller is the same to
//! you, the [`Semaphore`](super::Semaphore) costs less.
//!
//! ```
//! use portcullis_core::{Reason, bulkhead::keyed::{Config, FairSemaphore}};
//!
//! let bulkhead = FairSemaphore::new(Config { overall: 10, per_key: Some(4), ..Config::default() })?;
//! let (a, b) = (bulkhead.account(), bulkhead.account());
//! for _ in 0..4 {
//!     assert_eq!(bulkhead.take(&a, 1), Ok(1));
//! }
//! let refused = Reason::KeyFull { limit: 4, in_flight: 4, overall: 4, queued: 0 };
//! assert_eq!(bulkhead.take(&a, 1), Err(refused));
//! assert_eq!(bulkhead.take(&b, 2), Ok(2));
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```
//!
//! # Who gets a permit
//!
//! There are never more in use than [`overall`](Config::overall), nor by one key than
//! [`per_key`](Config::per_key).
//!
//! **Where calls can wait**, a key on its own may hold all of them. Others then wait, but not for long: a free
//! permit goes to the key that holds the least of those that wait (max-min fairness), and of those that hold the
//! same to the one that was served longest ago. A call that comes and finds a permit free takes it only if it is
//! before all who wait by the same rule. Within a key it is first come, first served. Nobody is served past who
//! is next, though there were room for him: a heavy call is not starved by light ones. A key that may not have
//! more by its own limit is not next, and stands in nobody's way.
//!
//! When the queue is full, a call of a key of which fewer wait takes the place of the call that came last of the
//! key of which most wait, if that is at least two more: so no key can fill the queue for others. (Longest queue
//! drop: McKenney, "Stochastic Fairness Queueing", 1990.)
//!
//! **Where calls cannot wait**, whoever asks more often gets more of what becomes free. So no key may take all. It
//! may take its share: `overall / (n + 1)`, rounded down, at least 1, where `n` is the number of keys that hold
//! any, with its own. And it may take more, as long as of what it holds and what is free together a ninth stays
//! free. Alone it gets to eight ninths. When others come they find something free, and what it gives back is
//! theirs until all have their shares: a key above its share takes none of the last. Who holds nothing is not
//! counted: with nearly as many keys as permits, each of them gets some again and again, and none keeps it.
//!
//! A share is counted in permits and at this moment. What a key has had before is nothing to it, and neither is
//! how long its calls take. Whoever can make up keys can make up shares: key by what has to be paid for, such as
//! an account, and not by what is sent.

mod account;
mod config;
mod line;
mod preset;
mod semaphore;
mod share;
mod state;

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod model_tests;

pub use account::Account;
pub use config::Config;
pub use line::Turn;
pub use preset::Preset;
pub use semaphore::{Entered, FairSemaphore, Place, Status};

/// How many permits a call takes, of those a key may hold.
#[inline]
fn needs(weight: u32, most: u64) -> u64 {
    u64::from(weight).clamp(1, most.max(1))
}
