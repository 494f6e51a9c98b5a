//! What a window holds.

/// Calls, by how they ended.
///
/// ```
/// use portcullis_core::window::Counts;
///
/// let counts = Counts { successes: 6, failures: 2, slow: 4 };
/// assert_eq!(counts.calls(), 8);
/// assert_eq!((counts.failure_ratio(), counts.slow_ratio()), (0.25, 0.5));
/// assert_eq!(Counts::default().failure_ratio(), 0.0);
/// ```
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Calls that succeeded.
    pub successes: u64,
    /// Calls that failed.
    pub failures: u64,
    /// Calls that were slow; each is a success or a failure too.
    pub slow: u64,
}

impl Counts {
    /// All calls.
    pub const fn calls(self) -> u64 {
        self.successes.saturating_add(self.failures)
    }

    /// The share of calls that failed; 0 of no calls.
    pub fn failure_ratio(self) -> f64 {
        self.share(self.failures)
    }

    /// The share of calls that were slow; 0 of no calls. Never above 1, though a slow success is known at
    /// once and may not have been counted as a success yet.
    pub fn slow_ratio(self) -> f64 {
        self.share(self.slow)
    }

    fn share(self, part: u64) -> f64 {
        match self.calls() {
            0 => 0.0,
            calls => part.min(calls) as f64 / calls as f64,
        }
    }
}
