//! What is done again, what ran out of time, and what was answered in place of an answer.

use portcullis::metrics::names::{BUDGET_AVAILABLE, FALLBACKS, RETRY_ATTEMPTS, RETRY_STOPPED, TIMEOUTS};

use super::{Alert, rate};

const SHOP: &[(&str, &str)] = &[("policy", "shop")];

pub(super) fn alerts() -> Vec<Alert> {
    [retries(), others()].into_iter().flatten().collect()
}

fn retries() -> Vec<Alert> {
    let available = BUDGET_AVAILABLE.name;
    let denied = rate(&format!(r#"{}{{why="budget"}}"#, RETRY_STOPPED.name), "policy", "2m");
    let exhausted = rate(&format!(r#"{}{{why="exhausted"}}"#, RETRY_STOPPED.name), "policy", "5m");
    let attempts = rate(RETRY_ATTEMPTS.name, "policy", "5m");
    vec![
        Alert::warning("PortcullisRetryBudgetExhausted", "1m", format!("{available} < 1"))
            .says(
                "The retry budget {{ $labels.budget }} is spent",
                "Failed calls on {{ $labels.instance }} are not made again, and hedges are not sent: so many fail \
                 that retries would only add to the load.",
            )
            .hint(
                "Look at what fails; a larger budget makes an outage worse. It fills again by itself as calls \
                 succeed.",
            )
            .given(available, r#"budget="shop""#, "10 10 0x20")
            .fires("45s", "2m", &[("budget", "shop")], ""),
        Alert::warning("PortcullisRetriesDenied", "2m", format!("{denied} > 0"))
            .says(
                "The budget of {{ $labels.policy }} keeps calls from being made again",
                "{{ $value | humanize }} failures a second on {{ $labels.instance }} went to the callers that a \
                 retry might have saved.",
            )
            .hint("As for PortcullisRetryBudgetExhausted: the failures are what to look at.")
            .given(RETRY_STOPPED.name, r#"policy="shop", why="budget""#, "0+15x20")
            .fires("1m", "4m", SHOP, "1"),
        Alert::warning(
            "PortcullisRetriesInVain",
            "5m",
            format!("{exhausted} / {attempts} > 0.25 and {attempts} > 0.1"),
        )
        .says(
            "Retries of {{ $labels.policy }} do not help",
            "For each attempt after the first on {{ $labels.instance }}, {{ $value | humanizePercentage }} of a call \
             failed in the end: the failures do not pass by themselves.",
        )
        .hint(
            "If the dependency is down, its breaker should open: is there one, and outside of what? If the failures \
             are of a kind that stays, do not retry them.",
        )
        .given(RETRY_STOPPED.name, r#"policy="shop", why="exhausted""#, "0+15x60")
        .given(RETRY_ATTEMPTS.name, r#"policy="shop", reason="unavailable""#, "0+30x60")
        .fires("4m", "10m", SHOP, "50%"),
    ]
}

fn others() -> Vec<Alert> {
    let timeouts = rate(TIMEOUTS.name, "policy, scope", "5m");
    let used = rate(&format!(r#"{}{{result="used"}}"#, FALLBACKS.name), "policy", "5m");
    let failed = rate(&format!(r#"{}{{result="failed"}}"#, FALLBACKS.name), "policy", "5m");
    vec![
        Alert::warning("PortcullisTimeouts", "5m", format!("{timeouts} > 0.2"))
            .says(
                "Calls of {{ $labels.policy }} do not end in time",
                "{{ $value | humanize }} a second reach the {{ $labels.scope }} limit on {{ $labels.instance }}.",
            )
            .hint(
                "Total limits hit callers; attempt limits may yet be saved by a retry. Look at what the calls wait \
                 for, then whether the limit is what callers can wait for.",
            )
            .given(TIMEOUTS.name, r#"policy="shop", scope="total""#, "0+15x60")
            .fires("4m", "10m", &[("policy", "shop"), ("scope", "total")], "1"),
        Alert::info("PortcullisFallbackUsed", "5m", format!("{used} > 0.1"))
            .says(
                "{{ $labels.policy }} answers in place of what failed",
                "{{ $value | humanize }} answers a second on {{ $labels.instance }} are a fallback's: callers are \
                 served, but not with what they asked for.",
            )
            .hint("Look at the breaker and the failures of the same dependency.")
            .given(FALLBACKS.name, r#"policy="shop", result="used""#, "0+15x60")
            .fires("4m", "10m", SHOP, "1"),
        Alert::critical("PortcullisFallbackFails", "2m", format!("{failed} > 0.1"))
            .says(
                "The fallback {{ $labels.policy }} fails too",
                "{{ $value | humanize }} calls a second on {{ $labels.instance }} have nothing left to be answered \
                 with.",
            )
            .hint("Repair what the fallback needs: it was to be independent of what it stands in for.")
            .given(FALLBACKS.name, r#"policy="shop", result="failed""#, "0+15x60")
            .fires("1m", "8m", SHOP, "1"),
    ]
}
