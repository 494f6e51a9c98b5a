//! Alerts as Prometheus reads them, and their histories as `promtool test rules` does.

use std::fmt::Write;

use portcullis::metrics::{Metric, MetricKind, names};

use super::alerts::Alert;

/// Groups of alerts, each with its name.
pub(super) type Groups = [(&'static str, Vec<Alert>)];

const HEAD: &str = "# Made by `portcullis assets`. What you change here is lost when it is made again.\n";

/// How often the histories have a sample.
const INTERVAL: &str = "15s";

/// The rule file.
pub(super) fn rules(groups: &Groups) -> String {
    let mut text = format!("{HEAD}groups:\n");
    for (name, alerts) in groups {
        let _ = writeln!(text, "  - name: {name}\n    rules:");
        for alert in alerts {
            rule(&mut text, alert);
        }
    }
    text
}

fn rule(text: &mut String, alert: &Alert) {
    let Alert { name, severity, wait, expr, summary, description, runbook, .. } = alert;
    let _ = write!(
        text,
        "      - alert: {name}
        expr: {}
        for: {wait}
        labels:
          severity: {}
        annotations:
          summary: {}
          description: {}
          runbook: {}\n",
        quoted(expr),
        severity.as_str(),
        quoted(summary),
        quoted(description),
        quoted(runbook),
    );
}

/// The tests of the rule file: each alert fires in its history, no sooner and no other than said; and a service that
/// is well fires none.
pub(super) fn tests(groups: &Groups) -> String {
    let mut text = format!(
        "{HEAD}# promtool test rules portcullis.rules.test.yml\n\
         rule_files:\n  - portcullis.rules.yml\nevaluation_interval: {INTERVAL}\ntests:\n"
    );
    for alert in groups.iter().flat_map(|(_, alerts)| alerts) {
        history(&mut text, alert);
    }
    well(&mut text, groups);
    text
}

/// A service that is well, with all of its metrics: nobody is told anything.
fn well(text: &mut String, groups: &Groups) {
    let _ = writeln!(text, "  - name: all is well\n    interval: {INTERVAL}\n    input_series:");
    let series = |text: &mut String, series: &str, values: &str| {
        let _ = writeln!(text, "      - series: {}\n        values: {values}", quoted(series));
    };
    series(text, r#"up{job="shop", instance="10.0.0.7:3000"}"#, "1x80");
    for metric in names::ALL.iter().filter(|metric| metric.kind != MetricKind::Histogram) {
        let labels: String =
            metric.labels.iter().map(|label| format!(", {label}={:?}", usual(label))).collect();
        let values = if has_room(metric) {
            "10x80"
        } else if **metric == names::CALLS {
            "0+15x80"
        } else {
            "0x80"
        };
        series(text, &format!(r#"{}{{job="shop", instance="10.0.0.7:3000"{labels}}}"#, metric.name), values);
    }
    let _ = writeln!(text, "    alert_rule_test:");
    for alert in groups.iter().flat_map(|(_, alerts)| alerts) {
        let name = alert.name;
        let _ = writeln!(text, "      - eval_time: 20m\n        alertname: {name}\n        exp_alerts: []");
    }
}

/// What must be more than nothing where all is well.
fn has_room(metric: &Metric) -> bool {
    [
        &names::BUDGET_AVAILABLE,
        &names::BULKHEAD_LIMIT,
        &names::CONNECTED,
        &names::ENDPOINTS,
        &names::LIMIT,
        &names::POOL_THREADS,
        &names::RATE_AVAILABLE,
        &names::SHED_LIMIT,
    ]
    .contains(&metric)
}

/// A value of a label such that the rules look at the series.
fn usual(label: &str) -> &'static str {
    match label {
        "mode" => "enforced",
        "outcome" => "success",
        "why" => "budget",
        "to" | "reason" => "open",
        "result" => "failed",
        "kind" => "breaker",
        _ => "shop",
    }
}

fn history(text: &mut String, alert: &Alert) {
    let Alert { name, severity, case, .. } = alert;
    let _ = writeln!(text, "  - name: {name}\n    interval: {INTERVAL}\n    input_series:");
    for (series, values) in &case.series {
        let _ = writeln!(text, "      - series: {}\n        values: {}", quoted(series), quoted(values));
    }
    let _ = writeln!(
        text,
        "    alert_rule_test:
      - eval_time: {}
        alertname: {name}
        exp_alerts: []
      - eval_time: {}
        alertname: {name}
        exp_alerts:
          - exp_labels:
              severity: {}
              job: shop
              instance: 10.0.0.7:3000",
        case.quiet,
        case.fires,
        severity.as_str(),
    );
    for (label, value) in case.labels {
        let _ = writeln!(text, "              {label}: {value}");
    }
    let _ = writeln!(text, "            exp_annotations:");
    for (key, said) in
        [("summary", alert.summary), ("description", alert.description), ("runbook", alert.runbook)]
    {
        let _ = writeln!(text, "              {key}: {}", quoted(&rendered(said, alert)));
    }
}

/// What Prometheus makes of an annotation.
fn rendered(text: &str, alert: &Alert) -> String {
    let instance = [("job", "shop"), ("instance", "10.0.0.7:3000")];
    let mut text = text.to_owned();
    for (label, value) in instance.iter().chain(alert.case.labels) {
        text = text.replace(&format!("{{{{ $labels.{label} }}}}"), value);
    }
    if let Some((before, rest)) = text.split_once("{{ $value") {
        let after = rest.split_once("}}").map_or("", |(_, after)| after);
        text = format!("{before}{}{after}", alert.case.value);
    }
    text
}

/// A string of JSON is one of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::alerts;
    use super::*;

    #[test]
    fn no_template_is_left_in_what_the_tests_expect() {
        for alert in alerts::all().iter().flat_map(|(_, alerts)| alerts) {
            for said in [alert.summary, alert.description, alert.runbook] {
                assert!(!rendered(said, alert).contains("{{"), "{}: {said}", alert.name);
            }
        }
    }
}
