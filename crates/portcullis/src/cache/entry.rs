//! What is kept for a key.

use std::time::Duration;

use portcullis_core::{
    Time,
    cache::{Freshness, Lifetime},
};

/// A value, and until when it is one.
pub(super) struct Entry<V> {
    pub(super) value: V,
    pub(super) life: Lifetime,
    /// How old it was when it came here.
    pub(super) age: Duration,
    pub(super) weight: u64,
}

impl<V> Entry<V> {
    /// What may be done with it.
    pub(super) fn at(&self, now: Time) -> Freshness {
        self.life.at(now)
    }

    /// How old it is.
    pub(super) fn age(&self, now: Time) -> Duration {
        self.age.saturating_add(self.life.age(now))
    }
}

/// A value for one caller, and how old it is, unless it has just been made.
#[derive(Clone)]
pub(super) struct Served<V> {
    pub(super) value: V,
    pub(super) age: Option<Duration>,
}

impl<V: Clone> Served<V> {
    pub(super) fn of(entry: &Entry<V>, now: Time) -> Self {
        Self { value: entry.value.clone(), age: Some(entry.age(now)) }
    }

    pub(super) fn new(value: V) -> Self {
        Self { value, age: None }
    }
}
