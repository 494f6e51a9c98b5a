//! A window: what a decision goes by.

use super::samples::{Collected, LATENCIES};
use crate::quantile::buckets;

/// The slowest calls of a window, of which the mean knows nothing: one straggler is no queue.
const TRIMMED: f64 = 0.05;
/// How far a latency can be from the middle of its bucket, as a share of it.
const RESOLUTION: f64 = 1.0 / 32.0;

/// What is known of the calls of one window. Times are nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Window {
    /// Calls whose latency is known.
    pub(super) measured: u64,
    /// Calls that met congestion.
    pub(super) congested: u64,
    /// The mean latency, without the slowest.
    pub(super) mean: f64,
    /// How far the mean may be from the true one by chance: one standard error.
    pub(super) error: f64,
    /// The latency that nine of ten did not exceed.
    pub(super) high: f64,
    /// The most calls in flight when one of them began.
    pub(super) peak: u32,
}

impl Window {
    pub(super) fn of(collected: &Collected<LATENCIES>) -> Self {
        let measured = collected.measured();
        let (mean, error) = trimmed(&collected.buckets, measured);
        let high = quantile(&collected.buckets, measured, 0.9);
        let Collected { peak, congested, .. } = *collected;
        Self { measured, congested, mean, error, high, peak }
    }

    /// The share of the calls that met congestion.
    pub(super) fn congestion(&self) -> f64 {
        let calls = self.measured + self.congested;
        if calls == 0 { 0.0 } else { self.congested as f64 / calls as f64 }
    }
}

/// The mean of all but the slowest, and its standard error.
fn trimmed(buckets: &[u64], measured: u64) -> (f64, f64) {
    let kept = measured - (measured as f64 * TRIMMED) as u64;
    if kept == 0 {
        return (0.0, 0.0);
    }
    let (mut left, mut sum, mut squares) = (kept, 0.0, 0.0);
    for (bucket, &count) in buckets.iter().enumerate() {
        let count = count.min(left);
        if count > 0 {
            let latency = middle(bucket);
            sum += latency * count as f64;
            squares += latency * latency * count as f64;
            left -= count;
        }
    }
    let kept = kept as f64;
    let mean = sum / kept;
    let variance = (squares / kept - mean * mean).max(0.0);
    (mean, (variance / kept).sqrt().max(mean * RESOLUTION / 2.0))
}

/// The latency that this share of the calls did not exceed.
fn quantile(buckets: &[u64], measured: u64, share: f64) -> f64 {
    let rank = (share * measured as f64).ceil() as u64;
    let mut below = 0;
    let found = buckets.iter().position(|&count| {
        below += count;
        below >= rank.max(1)
    });
    found.map_or(0.0, middle)
}

fn middle(bucket: usize) -> f64 {
    buckets::middle(bucket).as_nanos() as f64
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use std::time::Duration;

    use super::*;

    fn window(millis: impl Iterator<Item = u64>) -> Window {
        let mut collected = Collected::default();
        for millis in millis {
            collected.buckets[buckets::of(Duration::from_millis(millis))] += 1;
        }
        Window::of(&collected)
    }

    fn near(nanos: f64, millis: f64) -> bool {
        (nanos / (millis * 1e6) - 1.0).abs() < 0.04
    }

    #[test]
    fn the_mean_does_without_the_slowest() {
        let steady = window((0..100).map(|_| 10));
        let straggler = window((0..100).map(|n| if n == 0 { 30_000 } else { 10 }));
        assert!(near(steady.mean, 10.0) && near(straggler.mean, 10.0), "{steady:?} {straggler:?}");
        let even = window(1..=100);
        assert!(near(even.mean, 48.0) && near(even.high, 90.0), "{even:?}");
        // The deviation of 1 to 95 is 27.4.
        assert!((even.error / 1e6 - 27.4 / 95f64.sqrt()).abs() < 0.2, "{even:?}");
    }

    #[test]
    fn nothing_is_zero() {
        assert_eq!(window(std::iter::empty()), Window::default());
        assert_eq!(Window::default().congestion(), 0.0);
        assert_eq!(window(std::iter::once(10)).measured, 1);
    }
}
