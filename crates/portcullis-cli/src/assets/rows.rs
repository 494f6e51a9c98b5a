//! What is shown, a row for each pattern.

use portcullis::metrics::names::{
    BREAKER_FAILURE_RATIO, BREAKER_SLOW_RATIO, BREAKER_STATE, BREAKER_TRANSITIONS, BUDGET_AVAILABLE,
    BULKHEAD_IN_FLIGHT, BULKHEAD_LIMIT, BULKHEAD_QUEUED, BULKHEAD_WAIT, CACHE, CACHE_ENTRIES,
    CACHE_EVICTIONS, CACHE_REFRESHES, CACHE_WEIGHT, CALL_DURATION, CALLS, CALLS_IN_FLIGHT, CHAOS,
    COALESCE_KEYS, COALESCE_WAITING, COALESCED, CONNECTED, CONNECTS, DRAIN_IN_FLIGHT, DRAIN_PHASE, EJECTED,
    EJECTIONS, ENDPOINTS, EVENTS_LAGGED, EXECUTOR_RUNNING, EXECUTOR_TASKS, FAILURES, FALLBACK_REASONS,
    FALLBACKS, HEALTH, HEALTH_CHECK_DURATION, HEALTH_CHECKS, HEALTH_OVERALL, HEDGE_CALLS, HEDGE_DELAY,
    HEDGES, KEYED_ENTRIES, KEYED_EVICTIONS, LIMIT, LIMIT_IN_FLIGHT, POOL_BUSY, POOL_PANICS, POOL_QUEUED,
    POOL_THREADS, RATE_AVAILABLE, RATE_QUEUED, REJECTIONS, RETRY_ATTEMPTS, RETRY_RECOVERED, RETRY_STOPPED,
    SHED_CUT, SHED_DELAY, SHED_IN_FLIGHT, SHED_LEVEL, SHED_LIMIT, SHED_PRESSURE, THROTTLE_CHANCE,
    TIMEOUT_LIMIT, TIMEOUTS,
};

use super::panels::{LEVELS, Look, Panel};

/// As [`BREAKER_STATES`](portcullis::metrics::names::BREAKER_STATES), with colours.
const STATES: &[(u8, &str, &str)] = &[
    (0, "closed", "green"),
    (1, "open", "red"),
    (2, "half_open", "orange"),
    (3, "recovering", "yellow"),
    (4, "isolated", "purple"),
    (5, "disabled", "text"),
    (6, "forced_closed", "blue"),
    (7, "metrics_only", "text"),
];

/// As [`DRAIN_PHASE`] says.
const PHASES: &[(u8, &str, &str)] =
    &[(0, "serving", "green"), (1, "announced", "yellow"), (2, "refusing", "orange"), (3, "ended", "text")];

/// A row with its title.
pub(super) type Row = (&'static str, Vec<Panel>);

/// All rows: those at the top are open.
pub(super) fn all() -> Vec<Row> {
    [calls(), retries(), limits(), servers(), answers(), others()].into_iter().flatten().collect()
}

fn calls() -> Vec<Row> {
    vec![
        (
            "Overview",
            vec![
                Panel::value("Health", &HEALTH_OVERALL).words(Look::Now, LEVELS),
                Panel::value("Breakers now", &BREAKER_STATE).words(Look::Now, STATES),
                Panel::rate("Calls by outcome", &CALLS),
                Panel::rate_of("Refused", &REJECTIONS, "mode", "enforced"),
                Panel::rate_of("Would be refused (shadow)", &REJECTIONS, "mode", "shadow"),
                Panel::rate("Failures by kind", &FAILURES),
            ],
        ),
        (
            "Calls and attempts, observed",
            vec![Panel::quantiles("Duration", &CALL_DURATION), Panel::value("In flight", &CALLS_IN_FLIGHT)],
        ),
        (
            "Circuit breakers",
            vec![
                Panel::value("State", &BREAKER_STATE).words(Look::States, STATES),
                Panel::value("Failure ratio", &BREAKER_FAILURE_RATIO).unit("percentunit"),
                Panel::value("Slow ratio", &BREAKER_SLOW_RATIO).unit("percentunit"),
                Panel::rate("Transitions", &BREAKER_TRANSITIONS),
            ],
        ),
    ]
}

fn retries() -> Vec<Row> {
    vec![
        (
            "Retries",
            vec![
                Panel::rate("Attempts after the first", &RETRY_ATTEMPTS),
                Panel::rate("Saved by a retry", &RETRY_RECOVERED),
                Panel::rate("Why it ended", &RETRY_STOPPED),
                Panel::value("Budget left", &BUDGET_AVAILABLE),
            ],
        ),
        (
            "Hedges",
            vec![
                Panel::rate("Calls that could be hedged", &HEDGE_CALLS),
                Panel::rate("Hedges by result", &HEDGES),
                Panel::value("Delay", &HEDGE_DELAY).unit("s"),
            ],
        ),
        (
            "Timeouts",
            vec![
                Panel::rate("Calls that ran out of time", &TIMEOUTS),
                Panel::value("Limit that follows the calls", &TIMEOUT_LIMIT).unit("s"),
            ],
        ),
    ]
}

fn limits() -> Vec<Row> {
    vec![
        (
            "Bulkheads",
            vec![
                Panel::value("In flight", &BULKHEAD_IN_FLIGHT).and(&BULKHEAD_LIMIT, "limit"),
                Panel::value("Waiting", &BULKHEAD_QUEUED),
                Panel::quantiles("Wait", &BULKHEAD_WAIT),
            ],
        ),
        (
            "Thread pools and executors",
            vec![
                Panel::value("Threads", &POOL_BUSY).and(&POOL_THREADS, "of"),
                Panel::value("Waiting for a thread", &POOL_QUEUED),
                Panel::rate("Panics", &POOL_PANICS),
                Panel::value("Tasks", &EXECUTOR_RUNNING),
                Panel::rate("Tasks by result", &EXECUTOR_TASKS),
            ],
        ),
        ("Adaptive limits", vec![Panel::value("In flight", &LIMIT_IN_FLIGHT).and(&LIMIT, "limit")]),
        (
            "Rate limits",
            vec![
                Panel::value("Permits left", &RATE_AVAILABLE),
                Panel::value("Waiting for permits", &RATE_QUEUED),
            ],
        ),
        ("Throttles", vec![Panel::value("Chance to be held back", &THROTTLE_CHANCE).unit("percentunit")]),
        (
            "Keyed policies",
            vec![Panel::value("Keys", &KEYED_ENTRIES), Panel::rate("Keys let go of", &KEYED_EVICTIONS)],
        ),
    ]
}

fn servers() -> Vec<Row> {
    vec![
        (
            "Load shedding",
            vec![
                Panel::value("In flight", &SHED_IN_FLIGHT).and(&SHED_LIMIT, "limit"),
                Panel::value("Share that is shed", &SHED_CUT).unit("percentunit"),
                Panel::value("Lowest level admitted", &SHED_LEVEL),
                Panel::value("Queue delay", &SHED_DELAY).unit("s"),
                Panel::value("Pressure", &SHED_PRESSURE).unit("percentunit"),
            ],
        ),
        (
            "Drain",
            vec![
                Panel::value("Phase", &DRAIN_PHASE).words(Look::States, PHASES),
                Panel::value("In flight", &DRAIN_IN_FLIGHT),
            ],
        ),
        (
            "Health checks",
            vec![
                Panel::value("Found", &HEALTH).words(Look::States, LEVELS),
                Panel::rate("Runs by result", &HEALTH_CHECKS),
                Panel::quantiles("Duration", &HEALTH_CHECK_DURATION),
            ],
        ),
    ]
}

fn answers() -> Vec<Row> {
    vec![
        (
            "Fallbacks",
            vec![Panel::rate("Fallbacks by result", &FALLBACKS), Panel::rate("Reasons", &FALLBACK_REASONS)],
        ),
        (
            "Caches",
            vec![
                Panel::rate("Calls by result", &CACHE),
                Panel::value("Entries", &CACHE_ENTRIES),
                Panel::value("Weight", &CACHE_WEIGHT),
                Panel::rate("Let go of", &CACHE_EVICTIONS),
                Panel::rate("Refreshes", &CACHE_REFRESHES),
            ],
        ),
        (
            "Coalescing",
            vec![
                Panel::rate("Calls by result", &COALESCED),
                Panel::value("Keys in flight", &COALESCE_KEYS).and(&COALESCE_WAITING, "waiting"),
            ],
        ),
    ]
}

fn others() -> Vec<Row> {
    vec![
        (
            "Balancing",
            vec![
                Panel::value("Endpoints", &ENDPOINTS).and(&EJECTED, "ejected"),
                Panel::rate("Ejections", &EJECTIONS),
            ],
        ),
        (
            "Connections",
            vec![Panel::value("Connections", &CONNECTED), Panel::rate("Attempts and breaks", &CONNECTS)],
        ),
        ("Chaos", vec![Panel::rate("Faults on purpose", &CHAOS)]),
        ("Events", vec![Panel::rate("Lost by slow readers", &EVENTS_LAGGED).look(Look::Lines)]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::metrics::names;

    #[test]
    fn the_words_are_those_of_the_code() {
        let words: Vec<_> = STATES.iter().map(|(number, word, _)| (*word, *number)).collect();
        assert_eq!(words, names::BREAKER_STATES);
        for (number, word, _) in LEVELS {
            let level = portcullis::Level::ALL.into_iter().find(|level| level.as_str() == *word);
            assert_eq!(level.map(portcullis::Level::number), Some(*number));
        }
        assert!(
            PHASES.iter().all(|(number, word, _)| DRAIN_PHASE.help.contains(&format!("{number} {word}")))
        );
    }
}
