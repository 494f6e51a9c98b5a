//! Dependencies that calls are kept from.

use portcullis::{
    breaker::State,
    metrics::names::{
        BREAKER_FAILURE_RATIO, BREAKER_SLOW_RATIO, BREAKER_STATE, BREAKER_TRANSITIONS, CALLS, REJECTIONS,
        breaker_state_number,
    },
};

use super::{Alert, rate};

const INVENTORY: &[(&str, &str)] = &[("policy", "inventory")];
const REFUSED: &[(&str, &str)] = &[("policy", "inventory"), ("kind", "breaker")];
const LIMITED: &[(&str, &str)] = &[("policy", "payments"), ("kind", "bulkhead")];

pub(super) fn alerts() -> Vec<Alert> {
    [states(), ratios(), refusals()].into_iter().flatten().collect()
}

fn states() -> Vec<Alert> {
    let state = BREAKER_STATE.name;
    let [open, probing, isolated] = [State::Open, State::HalfOpen, State::Isolated].map(breaker_state_number);
    // Half-open belongs to it: a breaker that probes again and again is not back.
    let opened = format!("{state} == {open} or {state} == {probing}");
    let opens = format!(r#"{}{{to="open"}}"#, BREAKER_TRANSITIONS.name);
    vec![
        Alert::warning("PortcullisBreakerOpen", "15s", opened.clone())
            .says(
                "The breaker {{ $labels.policy }} is open",
                "Calls through {{ $labels.policy }} on {{ $labels.instance }} are refused, because too many of them \
                 failed or were too slow. It probes by itself, and closes when the dependency answers.",
            )
            .hint(
                "Look at the dependency, not at this service: its errors, its last deployment, the network between. \
                 The failures by kind (portcullis_failures_total) say whether it is gone, slow or wrong.",
            )
            .given(state, r#"policy="inventory""#, "0x3 1 1 2 1 1 1")
            .fires("45s", "2m", INVENTORY, ""),
        Alert::critical("PortcullisBreakerStaysOpen", "5m", opened)
            .says(
                "The breaker {{ $labels.policy }} has been open for five minutes",
                "The dependency behind {{ $labels.policy }} does not come back by itself. What needs it on \
                 {{ $labels.instance }} fails or is answered by a fallback since.",
            )
            .hint(
                "Repair or replace the dependency. If it is well, look at what the probes meet: \
                 `GET /api/policies`, or the log of transitions. Resetting the breaker by hand helps only then.",
            )
            .given(state, r#"policy="inventory""#, "0x3 1x60")
            .fires("5m30s", "6m15s", INVENTORY, ""),
        Alert::warning("PortcullisBreakerFlaps", "1m", format!("sum by (job, instance, policy) (increase({opens}[15m])) > 5"))
            .says(
                "The breaker {{ $labels.policy }} opens again and again",
                "It opened {{ $value | humanize }} times within a quarter of an hour on {{ $labels.instance }}: the \
                 dependency bears the probes, and not the load.",
            )
            .hint(
                "Let it come back step by step (`ramp`), and bound what is in flight to it (bulkhead, adaptive \
                 limit). A window that is too short for the traffic looks the same: see `min_calls`.",
            )
            .given(BREAKER_TRANSITIONS.name, r#"policy="inventory", from="half_open", to="open""#, "0x4 1+1x56")
            .fires("1m", "14m", INVENTORY, "52"),
        Alert::warning("PortcullisBreakerIsolated", "1h", format!("{state} == {isolated}"))
            .says(
                "The breaker {{ $labels.policy }} is isolated by hand for an hour",
                "Somebody ordered that nothing is called through {{ $labels.policy }} on {{ $labels.instance }}, \
                 and may have forgotten it.",
            )
            .hint("Ask who ordered it, then release or reset the breaker. `isolate_for` ends by itself.")
            .given(state, r#"policy="inventory""#, "4x260")
            .fires("30m", "61m", INVENTORY, ""),
    ]
}

fn ratios() -> Vec<Alert> {
    let (failed, slow) = (BREAKER_FAILURE_RATIO.name, BREAKER_SLOW_RATIO.name);
    vec![
        Alert::warning("PortcullisFailuresHigh", "5m", format!("{failed} > 0.2"))
            .says(
                "{{ $value | humanizePercentage }} of the calls through {{ $labels.policy }} fail",
                "The breaker on {{ $labels.instance }} has not opened, or opens and closes: callers meet these \
                 failures, or what retries and fallbacks make of them.",
            )
            .hint(
                "See the failures by kind. If the dependency fails for some requests only, they may need a breaker \
                 or a classification of their own.",
            )
            .given(failed, r#"policy="inventory""#, "0.3x40")
            .fires("4m", "6m", INVENTORY, "30%"),
        Alert::warning("PortcullisCallsSlow", "5m", format!("{slow} > 0.5"))
            .says(
                "{{ $value | humanizePercentage }} of the calls through {{ $labels.policy }} are slow",
                "The dependency answers {{ $labels.instance }}, but later than `slow_calls` allows.",
            )
            .hint("Look at the load of the dependency, and at what it waits for. Slow is how an outage begins.")
            .given(slow, r#"policy="inventory""#, "0.75x40")
            .fires("4m", "6m", INVENTORY, "75%"),
    ]
}

fn refusals() -> Vec<Alert> {
    let by = "policy, kind";
    // A rate limit is there to refuse; the others have alerts of their own.
    let others = r#"kind!~"drain|load_shed|rate_limit""#;
    let refused = rate(&format!(r#"{}{{{others}, mode="enforced"}}"#, REJECTIONS.name), by, "5m");
    let passed = rate(&format!(r#"{}{{outcome=~"success|failure|ignored"}}"#, CALLS.name), by, "5m");
    let calls = CALLS.name;
    vec![
        Alert::warning("PortcullisRejectionsHigh", "5m", format!("{refused} / ({refused} + {passed}) > 0.1"))
            .says(
                "{{ $labels.policy }} ({{ $labels.kind }}) refuses {{ $value | humanizePercentage }} of its calls",
                "More than a tenth of the calls on {{ $labels.instance }} do not reach what they are for.",
            )
            .hint(
                "See the reasons (portcullis_rejections_total by reason). Refusals protect what is behind them: find \
                 out why it needs that before raising a limit.",
            )
            .given(
                REJECTIONS.name,
                r#"policy="inventory", kind="breaker", reason="open", mode="enforced""#,
                "0+15x60",
            )
            .given(calls, r#"policy="inventory", kind="breaker", outcome="success""#, "0+45x60")
            .given(calls, r#"policy="inventory", kind="breaker", outcome="rejected""#, "0+15x60")
            .fires("4m", "10m", REFUSED, "25%"),
        // Not every policy counts what passes: a bulkhead would write what it does not need to know.
        Alert::warning("PortcullisRejectionsMany", "5m", format!("{refused} > 1 unless {passed}"))
            .says(
                "{{ $labels.policy }} ({{ $labels.kind }}) refuses {{ $value | humanize }} calls a second",
                "Calls on {{ $labels.instance }} are refused for five minutes on end: this is no burst.",
            )
            .hint(
                "See the reasons (portcullis_rejections_total by reason), and who calls that often. A limit that is \
                 always reached is too low, or there are too few instances.",
            )
            .given(
                REJECTIONS.name,
                r#"policy="payments", kind="bulkhead", reason="full", mode="enforced""#,
                "0+30x60",
            )
            .given(calls, r#"policy="payments", kind="bulkhead", outcome="rejected""#, "0+30x60")
            .fires("4m", "10m", LIMITED, "2"),
    ]
}
