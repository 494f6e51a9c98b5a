//! What a keyed policy shows of its keys.

use super::Keyed;
use crate::metrics::{
    Measures,
    names::{KEYED_ENTRIES, KEYED_EVICTIONS},
};

impl<K, V> Keyed<K, V> {
    /// How many keys there are, and how many were let go of.
    pub(crate) fn measure(&self, into: &mut dyn Measures) {
        let (keys, evictions) = self.counts();
        into.gauge(&KEYED_ENTRIES, &[], keys as f64);
        into.counter(&KEYED_EVICTIONS, &["idle"], evictions.idle);
        into.counter(&KEYED_EVICTIONS, &["full"], evictions.full);
    }
}
