//! The names of all metrics, with their labels and meanings.
//!
//! ```
//! use portcullis::metrics::names;
//!
//! assert_eq!(names::BREAKER_STATE.name, "portcullis_breaker_state");
//! assert!(names::ALL.iter().all(|metric| metric.name.starts_with("portcullis_")));
//! ```

pub use super::states::{BREAKER_STATES, breaker_state_number};
use super::{Metric, counter, gauge, histogram};

/// Calls by how they ended.
pub const CALLS: Metric = counter(
    "portcullis_calls_total",
    &["policy", "kind", "outcome"],
    "Calls by how they ended: success, failure, ignored, rejected, abandoned.",
);

/// How long calls and attempts took, by an [observer](crate::observe) that measures it.
pub const CALL_DURATION: Metric = histogram(
    "portcullis_call_duration_seconds",
    &["policy", "kind"],
    "How long calls and attempts took that were not refused or given up, to the end of their bodies.",
);

/// Calls and attempts that an [observer](crate::observe) sees running.
pub const CALLS_IN_FLIGHT: Metric = gauge(
    "portcullis_calls_in_flight",
    &["policy", "kind"],
    "Calls and attempts that run, until their bodies end.",
);

/// Failures by kind.
pub const FAILURES: Metric =
    counter("portcullis_failures_total", &["policy", "failure"], "Failed calls by kind of failure.");

/// Refusals by reason, and whether they were only counted.
pub const REJECTIONS: Metric = counter(
    "portcullis_rejections_total",
    &["policy", "kind", "reason", "mode"],
    "Calls refused (mode enforced), and calls let through that would have been (mode shadow).",
);

/// The number of the state, as told by [`breaker_state_number`].
pub const BREAKER_STATE: Metric = gauge(
    "portcullis_breaker_state",
    &["policy"],
    "0 closed, 1 open, 2 half-open, 3 recovering, 4 isolated, 5 disabled, 6 forced closed, 7 metrics only.",
);

/// Changes of state.
pub const BREAKER_TRANSITIONS: Metric = counter(
    "portcullis_breaker_transitions_total",
    &["policy", "from", "to"],
    "Changes of a breaker's state.",
);

/// The share of failures in the window.
pub const BREAKER_FAILURE_RATIO: Metric =
    gauge("portcullis_breaker_failure_ratio", &["policy"], "The share of calls in the window that failed.");

/// The share of slow calls in the window.
pub const BREAKER_SLOW_RATIO: Metric =
    gauge("portcullis_breaker_slow_ratio", &["policy"], "The share of calls in the window that were slow.");

/// Calls in flight in a bulkhead.
pub const BULKHEAD_IN_FLIGHT: Metric =
    gauge("portcullis_bulkhead_in_flight", &["policy"], "Calls that hold a permit.");

/// A bulkhead's permits.
pub const BULKHEAD_LIMIT: Metric = gauge("portcullis_bulkhead_limit", &["policy"], "Permits there are.");

/// Calls that wait for a permit of a bulkhead.
pub const BULKHEAD_QUEUED: Metric =
    gauge("portcullis_bulkhead_queued", &["policy"], "Calls that wait for a permit.");

/// How long calls waited for a permit of a bulkhead.
pub const BULKHEAD_WAIT: Metric = histogram(
    "portcullis_bulkhead_wait_seconds",
    &["policy"],
    "How long calls waited that found no free permit, whether they got one or were refused.",
);

/// Threads of a pool that run a call.
pub const POOL_BUSY: Metric =
    gauge("portcullis_pool_busy", &["policy"], "Threads of a pool that run a call.");

/// Calls that wait for a thread of a pool.
pub const POOL_QUEUED: Metric =
    gauge("portcullis_pool_queued", &["policy"], "Calls that wait for a thread of a pool.");

/// Threads a pool may have.
pub const POOL_THREADS: Metric = gauge("portcullis_pool_threads", &["policy"], "Threads a pool may have.");

/// Calls that panicked on a thread of a pool.
pub const POOL_PANICS: Metric =
    counter("portcullis_pool_panics_total", &["policy"], "Calls that panicked on a thread of a pool.");

/// Tasks of an executor that run.
pub const EXECUTOR_RUNNING: Metric =
    gauge("portcullis_executor_running", &["policy"], "Tasks of an executor that run.");

/// Tasks of an executor by how they ended.
pub const EXECUTOR_TASKS: Metric = counter(
    "portcullis_executor_tasks_total",
    &["policy", "result"],
    "Tasks of an executor by how they ended: finished, panicked, cancelled.",
);

/// A limit that finds itself.
pub const LIMIT: Metric = gauge("portcullis_limit", &["policy"], "The adaptive limit on calls in flight.");

/// Calls in flight under a limit that finds itself.
pub const LIMIT_IN_FLIGHT: Metric =
    gauge("portcullis_limit_in_flight", &["policy"], "Calls in flight under an adaptive limit.");

/// What is left of a rate limit.
pub const RATE_AVAILABLE: Metric =
    gauge("portcullis_rate_limit_available", &["policy"], "Whole permits that can be taken now.");

/// Calls that wait for permits of a rate limit.
pub const RATE_QUEUED: Metric =
    gauge("portcullis_rate_limit_queued", &["policy"], "Calls that wait for their permits.");

/// How much a throttle holds back.
pub const THROTTLE_CHANCE: Metric =
    gauge("portcullis_throttle_chance", &["policy"], "The chance with which a call is held back.");

/// Calls in flight on a server that sheds load.
pub const SHED_IN_FLIGHT: Metric =
    gauge("portcullis_shed_in_flight", &["policy"], "Calls in flight, but for those that are exempt.");

/// How many calls may be in flight on a server that sheds load.
pub const SHED_LIMIT: Metric =
    gauge("portcullis_shed_limit", &["policy"], "Calls of the highest class that may be in flight.");

/// The share of the calls that is shed.
pub const SHED_CUT: Metric = gauge(
    "portcullis_shed_cut",
    &["policy"],
    "The share of the calls that is refused because of waits, pressure, or by hand.",
);

/// The level below which calls are shed.
pub const SHED_LEVEL: Metric =
    gauge("portcullis_shed_level", &["policy"], "The lowest level that is admitted, 0 to 500.");

/// How long calls wait before anything is done for them.
pub const SHED_DELAY: Metric = gauge(
    "portcullis_shed_queue_delay_seconds",
    &["policy"],
    "The shortest wait in an interval before anything was done for a call.",
);

/// How busy the machine is.
pub const SHED_PRESSURE: Metric =
    gauge("portcullis_shed_pressure", &["policy"], "How busy the machine is, from 0 to 1, smoothed.");

/// How far the end of a server has come.
pub const DRAIN_PHASE: Metric =
    gauge("portcullis_drain_phase", &["policy"], "0 serving, 1 announced, 2 refusing, 3 ended.");

/// Calls in flight in a server that can be drained.
pub const DRAIN_IN_FLIGHT: Metric =
    gauge("portcullis_drain_in_flight", &["policy"], "Calls in flight, until their bodies end.");

/// Calls a time limit ended.
pub const TIMEOUTS: Metric =
    counter("portcullis_timeouts_total", &["policy", "scope"], "Calls that did not end in time.");

/// The limit that a timeout follows.
pub const TIMEOUT_LIMIT: Metric = gauge(
    "portcullis_timeout_limit_seconds",
    &["policy"],
    "The limit of a timeout that follows how long calls take.",
);

/// Attempts after the first.
pub const RETRY_ATTEMPTS: Metric = counter(
    "portcullis_retry_attempts_total",
    &["policy", "reason"],
    "Attempts after the first, by the kind of failure of the one before.",
);

/// Calls that retries have saved.
pub const RETRY_RECOVERED: Metric = counter(
    "portcullis_retry_recovered_total",
    &["policy"],
    "Calls that succeeded with an attempt after the first.",
);

/// Why calls were not made again.
pub const RETRY_STOPPED: Metric = counter(
    "portcullis_retry_stopped_total",
    &["policy", "why"],
    "Failures after which a call was not made again.",
);

/// Calls that could be hedged.
pub const HEDGE_CALLS: Metric =
    counter("portcullis_hedge_calls_total", &["policy"], "Calls of which another attempt could be sent.");

/// How long a hedge waits before the second attempt.
pub const HEDGE_DELAY: Metric = gauge(
    "portcullis_hedge_delay_seconds",
    &["policy"],
    "How long an attempt is waited for before another is sent.",
);

/// Attempts of a hedge after the first, whether another ran or had failed, by how they ended; and those that
/// were not sent, by why.
pub const HEDGES: Metric = counter(
    "portcullis_hedges_total",
    &["policy", "result"],
    "Attempts after the first, sent while others ran or had failed: won, lost, failed; and those that were not sent: \
     denied by the budget, over_time, not_replayable, shadowed.",
);

/// Calls for which something else was answered.
pub const FALLBACKS: Metric = counter(
    "portcullis_fallbacks_total",
    &["policy", "result"],
    "Calls for which something else was answered (used), those of them that failed or were given up, and calls for \
     which nothing could be (not_replayable) or was to be only (shadowed).",
);

/// Why something else was answered.
pub const FALLBACK_REASONS: Metric = counter(
    "portcullis_fallback_reasons_total",
    &["policy", "reason"],
    "Calls for which something else was answered, by the kind of failure, or refused.",
);

/// Calls of a cache by how they were answered.
pub const CACHE: Metric = counter(
    "portcullis_cache_total",
    &["policy", "result"],
    "Calls with a key: answered from what is kept (hit), from what is kept too long (stale), by another's call \
     (coalesced), made (miss); and made though they could have been a hit, by the mode (shadowed).",
);

/// What a cache keeps.
pub const CACHE_ENTRIES: Metric =
    gauge("portcullis_cache_entries", &["policy"], "Entries that a cache keeps.");

/// What that weighs.
pub const CACHE_WEIGHT: Metric = gauge(
    "portcullis_cache_weight",
    &["policy"],
    "What the entries of a cache take up of its largest weight, if it has one.",
);

/// What a cache has let go of.
pub const CACHE_EVICTIONS: Metric = counter(
    "portcullis_cache_evictions_total",
    &["policy", "why"],
    "Entries that a cache has let go of: for want of room (size), or because their time was over (expired).",
);

/// What a cache has fetched in the background.
pub const CACHE_REFRESHES: Metric = counter(
    "portcullis_cache_refreshes_total",
    &["policy", "result"],
    "Refreshes of stale entries: begun, ended without another answer to keep (failed), taking too long (timeout), and not begun \
     because too many ran (denied).",
);

/// Faults that calls met on purpose.
pub const CHAOS: Metric = counter(
    "portcullis_chaos_total",
    &["policy", "fault"],
    "Faults that calls met on purpose: latency, error, response, panic, hang, cut_body, bandwidth.",
);

/// Connections there are.
pub const CONNECTED: Metric =
    gauge("portcullis_reconnect_connected", &["policy"], "Connections that there are.");

/// Attempts to connect, and connections that broke.
pub const CONNECTS: Metric = counter(
    "portcullis_reconnects_total",
    &["policy", "result"],
    "Attempts to connect that succeeded and that failed, and connections that are broken since.",
);

/// Calls that could share an answer.
pub const COALESCED: Metric = counter(
    "portcullis_coalesced_total",
    &["policy", "result"],
    "Calls by how they were made: led (the first of its key), shared (answered by another's), promoted and unshared \
     (waited, and then made their own), keyless, full and shadowed (went by themselves).",
);

/// Keys in flight.
pub const COALESCE_KEYS: Metric =
    gauge("portcullis_coalesce_keys", &["policy"], "Keys of which a call is in flight.");

/// Calls that wait for another of their key.
pub const COALESCE_WAITING: Metric =
    gauge("portcullis_coalesce_waiting", &["policy"], "Calls that wait for another of their key.");

/// What is left of a retry budget.
pub const BUDGET_AVAILABLE: Metric =
    gauge("portcullis_budget_available", &["budget"], "Retries that the budget still allows.");

/// Keys a keyed policy holds.
pub const KEYED_ENTRIES: Metric =
    gauge("portcullis_keyed_entries", &["policy"], "Keys that a keyed policy holds.");

/// Keys a keyed policy has let go of.
pub const KEYED_EVICTIONS: Metric = counter(
    "portcullis_keyed_evictions_total",
    &["policy", "why"],
    "Keys that a keyed policy has let go of.",
);

/// Events that readers too slow have lost.
pub const EVENTS_LAGGED: Metric = counter(
    "portcullis_events_lagged_total",
    &["subscriber"],
    "Events that the reader of a stream lost because it was too slow.",
);

/// Endpoints that are ejected.
pub const EJECTED: Metric = gauge("portcullis_ejected", &["policy"], "Endpoints that are ejected.");

/// Endpoints there are.
pub const ENDPOINTS: Metric = gauge(
    "portcullis_endpoints",
    &["policy"],
    "Endpoints that a balancer knows, with those that are ejected.",
);

/// Ejections of endpoints.
pub const EJECTIONS: Metric = counter(
    "portcullis_ejections_total",
    &["policy", "cause", "mode"],
    "Endpoints ejected (mode enforced), and endpoints that would have been (mode shadow).",
);

/// The [number](portcullis_core::health::Level::number) of a check's level.
pub const HEALTH: Metric = gauge(
    "portcullis_health",
    &["check"],
    "What a check found: 0 healthy, 1 warning, 2 degraded, 3 critical.",
);

/// The number of the whole's level, by the registry's rules.
pub const HEALTH_OVERALL: Metric = gauge(
    "portcullis_health_overall",
    &[],
    "All checks and policies together: 0 healthy, 1 warning, 2 degraded, 3 critical.",
);

/// How long checks took.
pub const HEALTH_CHECK_DURATION: Metric =
    histogram("portcullis_health_check_duration_seconds", &["check"], "How long a check took to answer.");

/// Checks by how they ended.
pub const HEALTH_CHECKS: Metric = counter(
    "portcullis_health_checks_total",
    &["check", "result"],
    "Runs of a check by how they ended: success, failure, timeout, panic, refused.",
);

/// All of them.
pub const ALL: &[&Metric] = &[
    &CALLS,
    &CALL_DURATION,
    &CALLS_IN_FLIGHT,
    &FAILURES,
    &REJECTIONS,
    &BREAKER_STATE,
    &BREAKER_TRANSITIONS,
    &BREAKER_FAILURE_RATIO,
    &BREAKER_SLOW_RATIO,
    &BULKHEAD_IN_FLIGHT,
    &BULKHEAD_LIMIT,
    &BULKHEAD_QUEUED,
    &BULKHEAD_WAIT,
    &POOL_BUSY,
    &POOL_QUEUED,
    &POOL_THREADS,
    &POOL_PANICS,
    &EXECUTOR_RUNNING,
    &EXECUTOR_TASKS,
    &LIMIT,
    &LIMIT_IN_FLIGHT,
    &RATE_AVAILABLE,
    &RATE_QUEUED,
    &THROTTLE_CHANCE,
    &SHED_IN_FLIGHT,
    &SHED_LIMIT,
    &SHED_CUT,
    &SHED_LEVEL,
    &SHED_DELAY,
    &SHED_PRESSURE,
    &DRAIN_PHASE,
    &DRAIN_IN_FLIGHT,
    &TIMEOUTS,
    &TIMEOUT_LIMIT,
    &RETRY_ATTEMPTS,
    &RETRY_RECOVERED,
    &RETRY_STOPPED,
    &HEDGE_CALLS,
    &HEDGE_DELAY,
    &HEDGES,
    &CACHE,
    &CACHE_ENTRIES,
    &CACHE_WEIGHT,
    &CACHE_EVICTIONS,
    &CACHE_REFRESHES,
    &CHAOS,
    &CONNECTED,
    &CONNECTS,
    &FALLBACKS,
    &FALLBACK_REASONS,
    &COALESCED,
    &COALESCE_KEYS,
    &COALESCE_WAITING,
    &BUDGET_AVAILABLE,
    &KEYED_ENTRIES,
    &KEYED_EVICTIONS,
    &EVENTS_LAGGED,
    &EJECTED,
    &ENDPOINTS,
    &EJECTIONS,
    &HEALTH,
    &HEALTH_OVERALL,
    &HEALTH_CHECK_DURATION,
    &HEALTH_CHECKS,
];

#[cfg(test)]
mod tests {
    use super::{super::MetricKind, *};

    #[test]
    fn names_are_told_once_and_counters_say_so() {
        let mut names: Vec<_> = ALL.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            assert_eq!(metric.name.ends_with("_total"), metric.kind == MetricKind::Counter, "{metric:?}");
        }
    }
}
