//! Percentiles out of buckets.

use portcullis::metrics::BUCKETS;

use super::reading::Durations;

/// How long this share of the calls took at most, in milliseconds; between two bounds by a straight line, as Prometheus
/// does it. `None` without calls.
pub(crate) fn percentile(counts: &Durations, share: f64) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let rank = share * total as f64;
    let mut below = 0.0;
    let mut lower = 0.0;
    for (count, bound) in counts.iter().zip(BUCKETS) {
        let count = *count as f64;
        if below + count >= rank && count > 0.0 {
            return Some(1e3 * (lower + (bound - lower) * ((rank - below) / count).clamp(0.0, 1.0)));
        }
        below += count;
        lower = bound;
    }
    // Longer than all bounds: how much is not known.
    Some(1e3 * lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lies_where_the_calls_are() {
        let mut counts = Durations::default();
        assert_eq!(percentile(&counts, 0.5), None);
        counts[2] = 100; // 2.5 to 5 ms
        assert_eq!(percentile(&counts, 0.5), Some(3.75));
        counts[14] = 100; // longer than 30 s
        assert_eq!(percentile(&counts, 0.5), Some(5.0));
        assert_eq!(percentile(&counts, 0.99), Some(30_000.0));
    }
}
