//! What somebody is told, also at three in the morning: only what calls for a hand, and what to do then.

mod breaker;
mod health;
mod limits;
mod retry;
mod servers;

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// Somebody gets up.
    Critical,
    /// Somebody looks at it today.
    Warning,
    /// Somebody who looks anyway sees it.
    Info,
}

impl Severity {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// One rule, with a history in which it must fire.
#[derive(Debug)]
pub(super) struct Alert {
    pub(super) name: &'static str,
    pub(super) severity: Severity,
    /// For how long it must hold.
    pub(super) wait: &'static str,
    pub(super) expr: String,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) runbook: &'static str,
    pub(super) case: Case,
}

/// A history, with a sample each 15 s, in which an alert must fire, and not before its time.
#[derive(Debug, Default)]
pub(super) struct Case {
    /// Series with their labels and values, as promtool writes them.
    pub(super) series: Vec<(String, &'static str)>,
    /// When it must not fire yet, and when it must.
    pub(super) quiet: &'static str,
    pub(super) fires: &'static str,
    /// The labels of what fires, besides the instance's.
    pub(super) labels: &'static [(&'static str, &'static str)],
    /// The value, as the description shows it.
    pub(super) value: &'static str,
}

impl Alert {
    fn new(severity: Severity, name: &'static str, wait: &'static str, expr: String) -> Self {
        let case = Case::default();
        Self { name, severity, wait, expr, summary: "", description: "", runbook: "", case }
    }

    fn critical(name: &'static str, wait: &'static str, expr: String) -> Self {
        Self::new(Severity::Critical, name, wait, expr)
    }

    fn warning(name: &'static str, wait: &'static str, expr: String) -> Self {
        Self::new(Severity::Warning, name, wait, expr)
    }

    fn info(name: &'static str, wait: &'static str, expr: String) -> Self {
        Self::new(Severity::Info, name, wait, expr)
    }

    /// What has happened, in a line and in two.
    fn says(self, summary: &'static str, description: &'static str) -> Self {
        Self { summary, description, ..self }
    }

    /// What to do.
    fn hint(self, runbook: &'static str) -> Self {
        Self { runbook, ..self }
    }

    /// A series of the history: the name, the labels besides the instance's, and the values.
    fn given(mut self, name: &str, labels: &str, values: &'static str) -> Self {
        let comma = if labels.is_empty() { "" } else { ", " };
        let series = format!(r#"{name}{{job="shop", instance="10.0.0.7:3000"{comma}{labels}}}"#);
        self.case.series.push((series, values));
        self
    }

    /// When the alert must not fire yet, and when it must, with which labels and value.
    fn fires(
        mut self,
        quiet: &'static str,
        fires: &'static str,
        labels: &'static [(&'static str, &'static str)],
        value: &'static str,
    ) -> Self {
        self.case = Case { quiet, fires, labels, value, ..self.case };
        self
    }
}

/// All alerts, the most urgent patterns first.
pub(super) fn all() -> Vec<(&'static str, Vec<Alert>)> {
    vec![
        ("portcullis-health", health::alerts()),
        ("portcullis-breakers", breaker::alerts()),
        ("portcullis-retries", retry::alerts()),
        ("portcullis-limits", limits::alerts()),
        ("portcullis-servers", servers::alerts()),
    ]
}

/// The sum of what was added in a second, by instance and what `by` names besides.
fn rate(selector: &str, by: &str, window: &str) -> String {
    format!("sum by (job, instance, {by}) (rate({selector}[{window}]))")
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::metrics::{MetricKind, names};

    fn alerts() -> impl Iterator<Item = Alert> {
        all().into_iter().flat_map(|(_, alerts)| alerts)
    }

    #[test]
    fn each_has_a_name_of_its_own_and_says_all_there_is_to_say() {
        let mut names: Vec<_> = alerts().map(|alert| alert.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for alert in alerts() {
            assert!(alert.name.starts_with("Portcullis"), "{}", alert.name);
            for said in [alert.wait, alert.summary, alert.description, alert.runbook, alert.case.fires] {
                assert!(!said.is_empty(), "{}", alert.name);
            }
        }
    }

    /// Labels that a metric does not have would select nothing, for ever and without a word.
    #[test]
    fn series_of_the_histories_have_the_labels_that_the_code_publishes() {
        for alert in alerts() {
            for (series, _) in &alert.case.series {
                let (name, labels) = series.split_once('{').expect("labels");
                let own = labels
                    .trim_end_matches('}')
                    .split(", ")
                    .map(|label| label.split('=').next().expect("a name"));
                let own: Vec<_> = own.filter(|label| !["job", "instance"].contains(label)).collect();
                match names::ALL.iter().find(|metric| metric.name == name) {
                    Some(metric) => assert_eq!(own, metric.labels, "{}", alert.name),
                    None => assert_eq!(name, "up", "{}", alert.name),
                }
            }
        }
    }

    #[test]
    fn counters_are_only_ever_looked_at_by_what_was_added() {
        for alert in alerts() {
            for metric in names::ALL.iter().filter(|metric| metric.kind == MetricKind::Counter) {
                let uses = alert.expr.matches(metric.name).count();
                let rates = [format!("rate({}", metric.name), format!("increase({}", metric.name)];
                let rates: usize = rates.iter().map(|rate| alert.expr.matches(rate).count()).sum();
                assert_eq!(uses, rates, "{}: {}", alert.name, alert.expr);
            }
        }
    }
}
