//! What of each policy's settings matters to others.

use super::{BreakerRule, Facts, What, show::ShowTime};
use crate::{
    Mode, adaptive, breaker, bulkhead, cache, chaos, coalesce, drain, fallback, observe, pool, rate, shed,
    throttle, timeout,
};

impl From<&timeout::Config> for Facts {
    fn from(config: &timeout::Config) -> Self {
        let what = What::Timeout { limit: config.limit, adaptive: config.adaptive.is_some() };
        Self { mode: config.mode, what }
    }
}

impl From<&breaker::Config> for Facts {
    fn from(config: &breaker::Config) -> Self {
        let rules = rules(config);
        let what = What::Breaker { rules, permits: config.permits, open_for: config.open_for };
        Self { mode: config.mode, what }
    }
}

fn rules(config: &breaker::Config) -> Vec<BreakerRule> {
    let consecutive = config.consecutive_failures.map(BreakerRule::Consecutive);
    let ratio = config.failure_ratio.map(|ratio| {
        let (window, minimum_calls) = (config.window, config.minimum_calls);
        BreakerRule::Ratio { ratio, window, minimum_calls }
    });
    let in_time = config.time_window.map(|rule| BreakerRule::InTime {
        ratio: rule.failure_ratio,
        span: rule.span,
        minimum_calls: rule.minimum_calls,
    });
    let slow = config.slow_calls.map(|rule| BreakerRule::Slow { after: rule.after, ratio: rule.ratio });
    let others = !config.kind_limits.is_empty() || config.rule.is_some();
    [consecutive, ratio, in_time, slow, others.then_some(BreakerRule::Other)].into_iter().flatten().collect()
}

impl From<&bulkhead::Config> for Facts {
    fn from(config: &bulkhead::Config) -> Self {
        let (max, max_queued, max_wait) = (config.max_in_flight, config.max_queued, config.max_wait);
        Self { mode: config.mode, what: What::InFlight { max, max_queued, max_wait } }
    }
}

impl From<&pool::Config> for Facts {
    fn from(config: &pool::Config) -> Self {
        let (max, max_queued, max_wait) = (config.threads, config.max_queued, config.max_wait);
        Self { mode: config.mode, what: What::InFlight { max, max_queued, max_wait } }
    }
}

impl From<&adaptive::Config> for Facts {
    fn from(config: &adaptive::Config) -> Self {
        Self { mode: config.mode, what: What::AdaptiveLimit { min: config.min, max: config.max } }
    }
}

impl From<&rate::Config> for Facts {
    fn from(config: &rate::Config) -> Self {
        let what = What::RateLimit {
            permits: config.permits,
            period: config.period,
            burst: config.burst(),
            max_queued: config.max_queued,
            max_wait: config.max_wait,
        };
        Self { mode: config.mode, what }
    }
}

impl From<&fallback::Config> for Facts {
    fn from(config: &fallback::Config) -> Self {
        let what = What::Fallback { kinds: config.kinds.clone(), refusals: config.refusals };
        Self { mode: config.mode, what }
    }
}

impl From<&throttle::Config> for Facts {
    fn from(config: &throttle::Config) -> Self {
        let (k, window) = (config.k, ShowTime(config.window));
        Self { mode: config.mode, what: What::Other(format!("{k} times what was accepted in {window}")) }
    }
}

impl From<&shed::Config> for Facts {
    fn from(config: &shed::Config) -> Self {
        let most = config.max_in_flight.map(|most| format!("beyond {most} in flight"));
        let late = config.queue_delay.map(|_| "when calls wait in queues".to_owned());
        let pressure = config.pressure.as_ref().map(|_| "under pressure".to_owned());
        let words: Vec<_> = [most, late, pressure].into_iter().flatten().collect();
        Self { mode: config.mode, what: What::Other(words.join(", ")) }
    }
}

impl From<&coalesce::Config> for Facts {
    fn from(config: &coalesce::Config) -> Self {
        let words = format!("{} keys, {} wait for each", config.max_keys, config.max_waiting);
        Self { mode: config.mode, what: What::Other(words) }
    }
}

impl From<&cache::Config> for Facts {
    fn from(config: &cache::Config) -> Self {
        let words = format!("{} answers for {}", config.max_entries, ShowTime(config.ttl));
        Self { mode: config.mode, what: What::Other(words) }
    }
}

impl From<&chaos::Config> for Facts {
    fn from(config: &chaos::Config) -> Self {
        let mode = if config.enabled { Mode::Enforce } else { Mode::Disabled };
        let words = format!("{} kinds of fault", config.faults.len());
        Self { mode, what: What::Other(words) }
    }
}

impl From<&drain::Config> for Facts {
    fn from(config: &drain::Config) -> Self {
        let (announce, grace) = (ShowTime(config.announce), ShowTime(config.grace));
        Self::of(What::Other(format!("told for {announce}, then {grace} for what is in flight")))
    }
}

impl From<&observe::Config> for Facts {
    fn from(config: &observe::Config) -> Self {
        let words = if config.durations { "spans, counts, durations" } else { "spans, counts" };
        Self { mode: config.mode(), what: What::Other(words.to_owned()) }
    }
}
