//! Who does worse than the others: pure functions of what an interval came to.

use super::{Cause, FailureShare, SuccessRate, counts::Interval};

/// An endpoint's place, and what its interval came to.
pub(super) type Result = (usize, Interval);

/// Those that a rule would eject, the worst first: there may not be room for all.
pub(super) type Candidates = Vec<(usize, Cause)>;

impl SuccessRate {
    /// Those whose rate is below the mean of all by the deviations and by the difference.
    pub(super) fn candidates(&self, results: &[Result]) -> Candidates {
        let Some(ranked) = ranked(results, self.min_requests, self.min_endpoints) else { return Vec::new() };
        let count = ranked.len() as f64;
        let rates = || ranked.iter().map(|(_, interval)| interval.success_rate());
        let mean = rates().sum::<f64>() / count;
        let variance = rates().map(|rate| (rate - mean).powi(2)).sum::<f64>() / count;
        let threshold = mean - (self.deviations * variance.sqrt()).max(self.min_difference);
        let cause = |rate| Cause::SuccessRate { rate, mean, threshold };
        let rated = ranked.iter().map(|(at, interval)| (*at, interval.success_rate()));
        rated.filter(|(_, rate)| *rate < threshold).map(|(at, rate)| (at, cause(rate))).collect()
    }
}

impl FailureShare {
    /// Those of whose calls so large a share failed.
    pub(super) fn candidates(&self, results: &[Result]) -> Candidates {
        let Some(ranked) = ranked(results, self.min_requests, self.min_endpoints) else { return Vec::new() };
        let shares = ranked.into_iter().map(|(at, interval)| (at, interval.failure_share()));
        let above = shares.filter(|(_, share)| *share >= self.threshold);
        above.map(|(at, share)| (at, Cause::FailureShare(share))).collect()
    }
}

/// Those with enough calls, the lowest success rate first, if they are enough.
fn ranked(results: &[Result], min_requests: u32, min_endpoints: u32) -> Option<Vec<Result>> {
    let enough = results.iter().filter(|(_, interval)| interval.calls() >= min_requests);
    let mut ranked: Vec<_> = enough.copied().collect();
    ranked.sort_by(|a, b| a.1.success_rate().total_cmp(&b.1.success_rate()).then(a.0.cmp(&b.0)));
    (!ranked.is_empty() && ranked.len() >= min_endpoints as usize).then_some(ranked)
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    fn fleet(rates: &[u32]) -> Vec<Result> {
        let of = |successes: &u32| Interval { successes: *successes, failures: 1000 - successes };
        rates.iter().map(of).enumerate().collect()
    }

    fn places(candidates: Candidates) -> Vec<usize> {
        candidates.into_iter().map(|(at, _)| at).collect()
    }

    #[test]
    fn one_far_below_the_others_is_found() {
        let candidates = SuccessRate::default().candidates(&fleet(&[990, 990, 500, 990, 990]));
        assert_eq!(places(candidates), [2]);
    }

    /// envoyproxy/envoy#37723: 99.5 % among 99.99 % is several deviations, and no outlier.
    #[test]
    fn near_one_nobody_is_found() {
        let results = fleet(&[1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 985]);
        assert!(SuccessRate::default().candidates(&results).is_empty());
        let without = SuccessRate { min_difference: 0.0, ..SuccessRate::default() };
        assert_eq!(places(without.candidates(&results)), [9], "what the difference is for");
    }

    #[test]
    fn too_few_calls_or_endpoints_say_nothing() {
        let rule = SuccessRate::default();
        assert!(rule.candidates(&fleet(&[1000, 1000, 1000, 0])).is_empty(), "four endpoints");
        let few = Interval { successes: 0, failures: 99 };
        let mut results = fleet(&[1000, 1000, 1000, 1000, 1000]);
        results.push((5, few));
        assert!(rule.candidates(&results).is_empty(), "99 calls");
        assert!(rule.candidates(&[]).is_empty());
    }

    #[test]
    fn the_failure_share_finds_the_worst_first_and_its_threshold_itself() {
        let candidates = FailureShare::default().candidates(&fleet(&[150, 151, 1000, 0, 1000]));
        assert_eq!(places(candidates), [3, 0]);
    }
}
