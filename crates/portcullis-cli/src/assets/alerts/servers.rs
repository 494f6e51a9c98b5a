//! Servers that refuse or end, endpoints and connections that are gone, and what should not be there at all.

use portcullis::metrics::names::{
    CHAOS, CONNECTED, CONNECTS, DRAIN_PHASE, EJECTED, ENDPOINTS, EVENTS_LAGGED, REJECTIONS,
};

use super::{Alert, rate};

const CATALOG: &[(&str, &str)] = &[("policy", "catalog")];

pub(super) fn alerts() -> Vec<Alert> {
    [own(), endpoints(), curious()].into_iter().flatten().collect()
}

fn own() -> Vec<Alert> {
    let shed = rate(
        &format!(r#"{}{{kind="load_shed", reason!="stopped", mode="enforced"}}"#, REJECTIONS.name),
        "policy",
        "2m",
    );
    let phase = DRAIN_PHASE.name;
    vec![
        Alert::critical("PortcullisLoadShed", "2m", format!("{shed} > 0.5"))
            .says(
                "{{ $labels.policy }} sheds load",
                "{{ $labels.instance }} refuses {{ $value | humanize }} calls a second, because it has more to do \
                 than it can.",
            )
            .hint(
                "Add instances, or find what made the calls dearer. By which signal it sheds is the reason in \
                 portcullis_rejections_total; the lowest class goes first.",
            )
            .given(
                REJECTIONS.name,
                r#"policy="catalog", kind="load_shed", reason="queue_delay", mode="enforced""#,
                "0+30x40",
            )
            .fires("1m", "5m", CATALOG, "2"),
        Alert::warning("PortcullisDrainHangs", "5m", format!("{phase} == 1 or {phase} == 2"))
            .says(
                "{{ $labels.instance }} has been ending for five minutes",
                "{{ $labels.policy }} was told to end, and calls are still in flight.",
            )
            .hint("See what is in flight: a stream without an end needs a limit. It is safe to end the process.")
            .given(phase, r#"policy="catalog""#, "0 1 2x40")
            .fires("4m", "6m", CATALOG, ""),
    ]
}

fn endpoints() -> Vec<Alert> {
    let (ejected, known, connected) = (EJECTED.name, ENDPOINTS.name, CONNECTED.name);
    let failed = rate(&format!(r#"{}{{result="failed"}}"#, CONNECTS.name), "policy", "1m");
    vec![
        Alert::warning("PortcullisEndpointsEjected", "5m", format!("{ejected} > 0"))
            .says(
                "{{ $value }} endpoints of {{ $labels.policy }} are ejected",
                "They fail, or differ from the others, as seen from {{ $labels.instance }}.",
            )
            .hint("Compare with other instances: if they agree, look at the endpoints; if not, at the network.")
            .given(ejected, r#"policy="catalog""#, "1x40")
            .given(known, r#"policy="catalog""#, "5x40")
            .fires("4m", "6m", CATALOG, "1"),
        Alert::critical(
            "PortcullisEndpointsGone",
            "1m",
            format!("({ejected} >= {known} / 2 and {known} > 0) or ({known} == 0)"),
        )
        .says(
            "Half of the endpoints of {{ $labels.policy }}, or more, cannot be used",
            "What is left must bear the calls of all, as seen from {{ $labels.instance }}.",
        )
        .hint(
            "No endpoints at all is a matter of discovery. Else something that they share has failed: the last \
             deployment, a database, a zone.",
        )
        .given(ejected, r#"policy="catalog""#, "3x20")
        .given(known, r#"policy="catalog""#, "5x20")
        .fires("30s", "2m", CATALOG, ""),
        Alert::critical("PortcullisDisconnected", "1m", format!("{connected} == 0 and {failed} > 0"))
            .says(
                "{{ $labels.policy }} cannot connect",
                "{{ $labels.instance }} has no connection, and attempts to make one fail.",
            )
            .hint("The event log has the error of the last attempt: refused, a name, a certificate?")
            .given(connected, r#"policy="catalog""#, "1 0x20")
            .given(CONNECTS.name, r#"policy="catalog", result="failed""#, "0+1x21")
            .fires("1m", "3m", CATALOG, ""),
    ]
}

fn curious() -> Vec<Alert> {
    vec![
        Alert::info("PortcullisEventsLagged", "0s", format!("increase({}[10m]) > 0", EVENTS_LAGGED.name))
            .says(
                "{{ $labels.subscriber }} loses events",
                "It read too slowly on {{ $labels.instance }} to see all of them within the last ten minutes.",
            )
            .hint("No call is affected. Whoever counts by these events must read faster, or count by metrics.")
            .given(EVENTS_LAGGED.name, r#"subscriber="audit""#, "0 0 7x20")
            .fires("15s", "1m", &[("subscriber", "audit")], ""),
        Alert::warning("PortcullisChaos", "0s", format!("increase({}[5m]) > 0", CHAOS.name))
            .says(
                "{{ $labels.policy }} fails calls on purpose",
                "Calls on {{ $labels.instance }} met the fault {{ $labels.fault }} within the last five minutes, \
                 because chaos is enabled.",
            )
            .hint("If nobody makes an experiment, switch it off: `enabled = false`.")
            .given(CHAOS.name, r#"policy="catalog", fault="latency""#, "0 0 7x20")
            .fires("15s", "1m", &[("policy", "catalog"), ("fault", "latency")], ""),
    ]
}
