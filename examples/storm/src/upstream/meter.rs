//! What an upstream sees of the load: requests, and how many it holds at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of one upstream. Counters only: nothing is decided by them, so relaxed order is enough.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    seen: AtomicU64,
    inside: AtomicU64,
    peak: AtomicU64,
}

impl Meter {
    /// Counts a request in; it is counted out when the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Inside {
        self.seen.fetch_add(1, Ordering::Relaxed);
        let inside = self.inside.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(inside, Ordering::Relaxed);
        Inside(Arc::clone(self))
    }

    /// Requests seen since the start.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// Most requests held at once (served or queued) since this was last asked.
    pub(crate) fn take_peak(&self) -> u64 {
        let inside = self.inside.load(Ordering::Relaxed);
        self.peak.swap(inside, Ordering::Relaxed).max(inside)
    }
}

/// A request that the upstream holds.
#[derive(Debug)]
pub(crate) struct Inside(Arc<Meter>);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_starts_anew_from_what_is_inside() {
        let meter = Arc::new(Meter::default());
        let first = meter.enter();
        drop(meter.enter());
        assert_eq!((meter.seen(), meter.take_peak()), (2, 2));
        assert_eq!(meter.take_peak(), 1);
        drop(first);
        assert_eq!((meter.take_peak(), meter.take_peak()), (1, 0), "it was inside since the last look");
    }
}
