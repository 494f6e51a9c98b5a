//! Which endpoint a call goes to.
//!
//! - By [load](Load): of [two] that are drawn by their weights, the one that has less to do for its weight. Two
//!   random choices are nearly as good as looking at all, and do not send everybody to the same one (Mitzenmacher,
//!   "The Power of Two Choices", 2001). What counts as load is the calls in flight, or those times the time that
//!   calls take, by a moving average that follows peaks at once (Finagle's peak EWMA).
//! - By [key](rendezvous()): the same endpoint for the same key, and when one comes or goes only its keys move.
//!
//! ```
//! use portcullis_core::balance::{key_hash, rendezvous};
//!
//! let hosts = ["a", "b", "c"].map(|name| key_hash(name));
//! let of = |tenant: u64, hosts: &[u64]| rendezvous(key_hash(&tenant), hosts.len(), |at| (hosts[at], 1.0));
//! let (before, after) = (of(7, &hosts).unwrap(), of(7, &hosts[..2]).unwrap());
//! assert!(before == after || before == 2, "only who was on the third has moved");
//! ```

mod draw;
mod ewma;
mod load;
#[cfg(all(test, portcullis_loom))]
mod loom_tests;
mod rendezvous;

pub use draw::{Choice, two};
pub use ewma::{DEFAULT_DECAY, LONGEST_DECAY, SHORTEST_DECAY};
pub use load::{Load, Measure};
pub use rendezvous::{KeyHasher, key_hash, mixed, rendezvous};
