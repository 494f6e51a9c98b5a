//! Panels, whose queries are made from the metrics themselves: a label that a metric does not have cannot be asked for.

use portcullis::metrics::Metric;
use serde_json::{Value, json};

/// What a panel looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Lines over time.
    Lines,
    /// A word or a number, as it is now.
    Now,
    /// What state it was in, over time.
    States,
}

/// One panel.
#[derive(Debug)]
pub(super) struct Panel {
    title: &'static str,
    description: &'static str,
    unit: &'static str,
    look: Look,
    /// Numbers that stand for words.
    words: &'static [(u8, &'static str, &'static str)],
    queries: Vec<(String, String)>,
}

/// Names and levels of health, with their colours.
pub(super) const LEVELS: &[(u8, &str, &str)] =
    &[(0, "healthy", "green"), (1, "warning", "yellow"), (2, "degraded", "orange"), (3, "critical", "red")];

impl Panel {
    fn new(title: &'static str, look: Look, metric: &Metric) -> Self {
        let description = metric.help;
        Self { title, description, unit: "short", look, words: &[], queries: Vec::new() }
    }

    /// What is added to a counter in a second, by all of its labels.
    pub(super) fn rate(title: &'static str, metric: &'static Metric) -> Self {
        let by = metric.labels.join(", ");
        let query = format!("sum by ({by}) (rate({}[$__rate_interval]))", selected(metric.name, metric, ""));
        Self::new(title, Look::Lines, metric).unit("ops").query(query, legend(metric.labels))
    }

    /// The same of some of its series, by one label less.
    pub(super) fn rate_of(title: &'static str, metric: &'static Metric, label: &str, value: &str) -> Self {
        let by: Vec<_> = metric.labels.iter().filter(|name| **name != label).copied().collect();
        let series = selected(metric.name, metric, &format!("{label}={value:?}"));
        let query = format!("sum by ({}) (rate({series}[$__rate_interval]))", by.join(", "));
        Self::new(title, Look::Lines, metric).unit("ops").query(query, legend(&by))
    }

    /// A gauge of each instance.
    pub(super) fn value(title: &'static str, metric: &'static Metric) -> Self {
        Self::new(title, Look::Lines, metric).and(metric, "")
    }

    /// Another gauge beside it, said by a word.
    pub(super) fn and(self, metric: &'static Metric, word: &str) -> Self {
        let space = if word.is_empty() { "" } else { " " };
        let legend = format!("{}{space}{word} {{{{instance}}}}", legend(metric.labels));
        self.query(selected(metric.name, metric, ""), legend)
    }

    /// Quantiles of a histogram.
    pub(super) fn quantiles(title: &'static str, metric: &'static Metric) -> Self {
        let series = selected(&format!("{}_bucket", metric.name), metric, "");
        let by = metric.labels.join(", ");
        let mut panel = Self::new(title, Look::Lines, metric).unit("s");
        for (quantile, word) in [(0.5, "median"), (0.99, "p99")] {
            let sum = format!("sum by ({by}, le) (rate({series}[$__rate_interval]))");
            let legend = format!("{} {word}", legend(metric.labels));
            panel = panel.query(format!("histogram_quantile({quantile}, {sum})"), legend);
        }
        panel
    }

    /// A gauge whose numbers are words.
    pub(super) fn words(mut self, look: Look, words: &'static [(u8, &'static str, &'static str)]) -> Self {
        (self.look, self.words) = (look, words);
        self
    }

    pub(super) fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    pub(super) fn look(self, look: Look) -> Self {
        Self { look, ..self }
    }

    fn query(mut self, query: String, legend: String) -> Self {
        self.queries.push((query, legend.trim().to_owned()));
        self
    }

    /// As Grafana reads it.
    pub(super) fn json(&self, id: usize, place: &Value) -> Value {
        let targets: Vec<_> = ('A'..)
            .zip(&self.queries)
            .map(|(name, (query, legend))| {
                json!({
                    "refId": name.to_string(), "datasource": source(), "expr": query, "legendFormat": legend,
                    "range": self.look != Look::Now, "instant": self.look == Look::Now,
                })
            })
            .collect();
        json!({
            "id": id, "title": self.title, "description": self.description, "type": self.kind(), "gridPos": place,
            "datasource": source(), "targets": targets, "options": self.options(),
            "fieldConfig": { "defaults": self.defaults(), "overrides": [] },
        })
    }

    fn kind(&self) -> &'static str {
        match self.look {
            Look::Lines => "timeseries",
            Look::Now => "stat",
            Look::States => "state-timeline",
        }
    }

    fn defaults(&self) -> Value {
        let numbers: serde_json::Map<String, Value> = self
            .words
            .iter()
            .map(|(number, word, colour)| (number.to_string(), json!({ "text": word, "color": colour })))
            .collect();
        let mappings =
            if numbers.is_empty() { json!([]) } else { json!([{ "type": "value", "options": numbers }]) };
        let fill = if self.look == Look::States { 70 } else { 5 };
        let mut defaults = json!({
            "unit": self.unit, "mappings": mappings, "custom": { "fillOpacity": fill, "lineWidth": 1 },
        });
        if self.look == Look::Lines {
            defaults["min"] = json!(0);
        }
        defaults
    }

    fn options(&self) -> Value {
        match self.look {
            Look::Lines => json!({
                "legend": { "displayMode": "list", "placement": "bottom" },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            Look::Now => json!({ "colorMode": "value", "reduceOptions": { "calcs": ["lastNotNull"] } }),
            Look::States => json!({ "mergeValues": true, "showValue": "auto", "rowHeight": 0.8 }),
        }
    }
}

/// The Prometheus that was chosen.
pub(super) fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// The series of a metric, as far as they were chosen above the panels.
fn selected(name: &str, metric: &Metric, besides: &str) -> String {
    let policy = if metric.labels.contains(&"policy") { r#", policy=~"$policy""# } else { "" };
    let comma = if besides.is_empty() { "" } else { ", " };
    format!(r#"{name}{{job=~"$job", instance=~"$instance"{policy}{comma}{besides}}}"#)
}

fn legend(labels: &[&str]) -> String {
    labels.iter().map(|label| format!("{{{{{label}}}}}")).collect::<Vec<_>>().join(" ")
}
