//! Limits that are reached.

use portcullis::metrics::names::{
    BULKHEAD_IN_FLIGHT, BULKHEAD_LIMIT, KEYED_EVICTIONS, LIMIT, LIMIT_IN_FLIGHT, POOL_BUSY, POOL_PANICS,
    POOL_QUEUED, POOL_THREADS, RATE_QUEUED, THROTTLE_CHANCE,
};

use super::Alert;

const PAYMENTS: &[(&str, &str)] = &[("policy", "payments")];

pub(super) fn alerts() -> Vec<Alert> {
    [full(), pools(), rates()].into_iter().flatten().collect()
}

fn full() -> Vec<Alert> {
    let (in_flight, permits) = (BULKHEAD_IN_FLIGHT.name, BULKHEAD_LIMIT.name);
    let (adaptive, limit) = (LIMIT_IN_FLIGHT.name, LIMIT.name);
    vec![
        Alert::warning("PortcullisBulkheadFull", "1m", format!("{in_flight} >= {permits} and {permits} > 0"))
            .says(
                "The bulkhead {{ $labels.policy }} is full",
                "All of its permits on {{ $labels.instance }} are taken for a minute: calls queue, or are refused.",
            )
            .hint(
                "What is in flight is rate times duration: has the traffic grown, or do the calls take longer? In \
                 the second case a larger bulkhead only moves the queue to the dependency.",
            )
            .given(in_flight, r#"policy="payments""#, "3 100x20")
            .given(permits, r#"policy="payments""#, "100x20")
            .fires("45s", "2m", PAYMENTS, ""),
        Alert::warning("PortcullisAdaptiveLimitReached", "5m", format!("{adaptive} >= {limit} and {limit} > 0"))
            .says(
                "As many calls of {{ $labels.policy }} are in flight as the dependency bears",
                "The limit on {{ $labels.instance }} is what the latencies allow, and it is used up for five minutes.",
            )
            .hint("The dependency needs more room, or callers must ask for less. See portcullis_limit over a day.")
            .given(adaptive, r#"policy="payments""#, "20x60")
            .given(limit, r#"policy="payments""#, "20x60")
            .fires("4m", "6m", PAYMENTS, ""),
    ]
}

fn pools() -> Vec<Alert> {
    let (busy, threads, queued) = (POOL_BUSY.name, POOL_THREADS.name, POOL_QUEUED.name);
    let full = format!("{busy} >= {threads} and {queued} > 0");
    vec![
        Alert::warning("PortcullisThreadPoolFull", "1m", full)
            .says(
                "The thread pool {{ $labels.policy }} has no thread left",
                "Work waits for a thread on {{ $labels.instance }} for a minute.",
            )
            .hint("Something blocks, or computes for too long: take a stack trace of the pool's threads.")
            .given(busy, r#"policy="payments""#, "8x20")
            .given(threads, r#"policy="payments""#, "8x20")
            .given(queued, r#"policy="payments""#, "5x20")
            .fires("45s", "2m", PAYMENTS, ""),
        Alert::warning("PortcullisPanics", "0s", format!("increase({}[10m]) > 0", POOL_PANICS.name))
            .says(
                "Work panics in the thread pool {{ $labels.policy }}",
                "Calls on {{ $labels.instance }} ended by a panic within the last ten minutes.",
            )
            .hint("The log has the place of the panic. The pool goes on; what the call had begun may not be whole.")
            .given(POOL_PANICS.name, r#"policy="payments""#, "0 0 1x20")
            .fires("15s", "1m", PAYMENTS, ""),
    ]
}

fn rates() -> Vec<Alert> {
    let full = format!(r#"increase({}{{why="full"}}[10m])"#, KEYED_EVICTIONS.name);
    vec![
        Alert::info("PortcullisRateLimitQueues", "5m", format!("{} > 0", RATE_QUEUED.name))
            .says(
                "Calls of {{ $labels.policy }} wait for the rate limit",
                "{{ $value | humanize }} calls wait on {{ $labels.instance }}; there was always somebody in line for \
                 five minutes.",
            )
            .hint("More is asked for than the rate allows, on end. Callers see it as latency.")
            .given(RATE_QUEUED.name, r#"policy="payments""#, "12x60")
            .fires("4m", "6m", PAYMENTS, "12"),
        Alert::warning("PortcullisThrottling", "2m", format!("{} > 0.1", THROTTLE_CHANCE.name))
            .says(
                "{{ $labels.policy }} holds back {{ $value | humanizePercentage }} of its calls",
                "The dependency refuses so much of what {{ $labels.instance }} asks that asking is cut down.",
            )
            .hint("The dependency is overloaded, or has a quota for this caller. It ends by itself when it accepts.")
            .given(THROTTLE_CHANCE.name, r#"policy="payments""#, "0.4x20")
            .fires("1m", "3m", PAYMENTS, "40%"),
        Alert::warning("PortcullisKeysFull", "5m", format!("{full} > 10"))
            .says(
                "{{ $labels.policy }} has more keys than it may hold",
                "{{ $value | humanize }} keys were let go of for want of room within ten minutes on \
                 {{ $labels.instance }}; what they knew is forgotten.",
            )
            .hint("Raise `max_keys`, or make the key from something that callers cannot invent.")
            .given(KEYED_EVICTIONS.name, r#"policy="payments", why="full""#, "0+15x60")
            .fires("4m", "14m", &[("policy", "payments"), ("why", "full")], "600"),
    ]
}
