//! A bounded map from keys to state: one breaker, limit or bulkhead per host, tenant or route.
//!
//! Keys come from requests, so whoever sends requests chooses how many there are. A [`Keyed`] map never
//! holds more than its [`Limits`] say. It forgets what was not used for long, and, when it is full, what was
//! not used for longest; it never forgets what is in use, or what its [`KeyedValue`] says must stay, such as
//! an open breaker. When nothing may go, a new key is told so ([`Lookup::Overflow`]), and its caller falls
//! back to one state that all such keys share.
//!
//! The policies of this crate have keyed forms, such as [`KeyedBreaker`](crate::KeyedBreaker) and
//! [`KeyedRetry`](crate::retry::KeyedRetry); use the map for a policy that you write. What a request is keyed by is said
//! with [`KeyOf`], and with the common ones in [`by`].
//!
//! ```
//! use portcullis::{Time, keyed::{Keyed, KeyedValue, Limits, Lookup}};
//! use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
//!
//! #[derive(Default)]
//! struct Banned(AtomicBool);
//!
//! impl KeyedValue for Banned {
//!     fn may_go(&self, _now: Time, _idle: bool) -> bool {
//!         !self.0.load(Relaxed)
//!     }
//! }
//!
//! let tenants = Keyed::<Box<str>, Banned>::new(Limits { max_keys: 2, ..Limits::default() })?;
//! let now = Time::ORIGIN;
//! let tenant = |name| tenants.get_or_insert_with(name, now, Banned::default).into_entry();
//!
//! tenant("a").expect("there is room").value().0.store(true, Relaxed);
//! tenant("b");
//! tenant("c"); // in the place of b: a must stay
//! assert!(tenants.get("a").is_some() && tenants.get("b").is_none());
//!
//! tenant("c").expect("it is there").value().0.store(true, Relaxed);
//! assert!(matches!(tenants.get_or_insert_with("d", now, Banned::default), Lookup::Overflow));
//! # Ok::<(), portcullis::ConfigError>(())
//! ```
//!
//! # Who goes
//!
//! - What was not used for [`idle_after`](Limits::idle_after) goes little by little with every insert, and
//!   all at once with [`Keyed::sweep`].
//! - When the map is full, a new key takes the place of the one that was not used for longest among some
//!   that are looked at: exactly the longest in a map of up to 16 keys, a good guess in a larger one. Keys
//!   that are used often stay, also while a flood of keys that come once passes through.
//! - A value that is referred to by anybody stays; so does one whose [`KeyedValue::may_go`] says no.
//!
//! Time is an argument, so a coarse clock will do. Looking up a key that is there takes a shard's read lock
//! and allocates nothing. Hashing is keyed by the process (SipHash, as in std's maps): nobody can choose
//! keys that collide.

pub(crate) mod budgeted;
mod builder;
pub mod by;
mod by_key;
pub(crate) mod common;
mod entry;
pub(crate) mod family;
mod handle;
mod key_of;
mod limits;
pub(crate) mod many;
mod map;
#[cfg(test)]
mod memory_tests;
#[cfg(test)]
mod model_tests;
pub(crate) mod seen;
mod shown;
mod table;
mod tally;
#[cfg(test)]
mod tests;

pub use {
    by_key::ByKey,
    entry::Entry,
    key_of::{Key, KeyOf},
    limits::{DEFAULT_IDLE_AFTER, DEFAULT_MAX_KEYS, Limits},
    map::{Keyed, Lookup},
    tally::Evictions,
};

pub(crate) use {builder::keyed_builder, handle::keyed_handle};

use portcullis_core::Time;

/// What a [`Keyed`] map asks of its values.
pub trait KeyedValue {
    /// Whether this may be forgotten, so that its key starts anew when it comes again. `idle` tells that it
    /// was not used for [`Limits::idle_after`]; otherwise it is asked because the map is full.
    ///
    /// Answer no for every state that is not what a new value begins with, or its key will escape from that
    /// state by the flood. But let it be a state that ends: what stays for ever, with a key that never comes
    /// again, fills the map for good. An open breaker stays, say, and one whose open time is over may go
    /// when it is idle.
    ///
    /// It is asked under a lock, so it must be quick, and must not use the map.
    fn may_go(&self, now: Time, idle: bool) -> bool;
}
