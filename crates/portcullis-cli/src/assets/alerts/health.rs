//! The service as a whole, and what it needs.

use portcullis::{
    Level,
    metrics::names::{HEALTH, HEALTH_OVERALL},
};

use super::Alert;

pub(super) fn alerts() -> Vec<Alert> {
    let (overall, check) = (HEALTH_OVERALL.name, HEALTH.name);
    let [degraded, critical] = [Level::Degraded, Level::Critical].map(Level::number);
    vec![
        // Not by the job, whose name is the user's: what has shown these metrics, and does not answer any more.
        Alert::critical(
            "PortcullisDown",
            "1m",
            format!("up == 0 and on (job, instance) last_over_time({overall}[6h])"),
        )
        .says(
            "{{ $labels.instance }} does not answer",
            "Prometheus cannot read the metrics of {{ $labels.instance }} ({{ $labels.job }}) for a minute.",
        )
        .hint("Is the process there, and reachable? An instance that was taken away must leave the targets, too.")
        .given("up", "", "1x4 0x20")
        .given(overall, "", "0x4 stale")
        .fires("1m30s", "3m", &[], ""),
        Alert::critical("PortcullisHealthCritical", "30s", format!("{overall} == {critical}"))
            .says(
                "{{ $labels.instance }} cannot work",
                "Something that it cannot do without has failed; it answers /readyz with 503, and gets no traffic.",
            )
            .hint("`portcullis health URL` says which check or policy, and why.")
            .given(overall, "", "0 3x20")
            .fires("30s", "1m30s", &[], ""),
        Alert::warning("PortcullisHealthDegraded", "5m", format!("{overall} == {degraded}"))
            .says(
                "{{ $labels.instance }} is degraded",
                "It serves, but without something that it has on a good day.",
            )
            .hint("`portcullis health URL` says which check or policy, and why.")
            .given(overall, "", "0 2x40")
            .fires("4m", "6m", &[], ""),
        Alert::warning("PortcullisCheckFails", "1m", format!("{check} >= {degraded}"))
            .says(
                "The check {{ $labels.check }} fails",
                "What it asks does not answer {{ $labels.instance }} as it should.",
            )
            .hint(
                "`portcullis health URL` has its last error. If only this instance sees it, look at its network and \
                 its machine.",
            )
            .given(check, r#"check="database""#, "0 2x20")
            .fires("45s", "2m", &[("check", "database")], ""),
    ]
}
