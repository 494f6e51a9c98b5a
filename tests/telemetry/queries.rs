//! The queries of the dashboard.

use serde_json::Value;

use crate::{assets::asset, programs::Program};

/// What Grafana puts in place of what was chosen.
const CHOSEN: [(&str, &str); 4] =
    [("$job", ".*"), ("$instance", ".*"), ("$policy", ".*"), ("$__rate_interval", "30s")];

/// Every query of every panel, with the panel's title.
pub(crate) fn panels() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let rows = dashboard["panels"].as_array().unwrap().clone();
    let inside: Vec<_> = rows.iter().filter_map(|row| row["panels"].as_array()).flatten().cloned().collect();
    let mut queries = Vec::new();
    for panel in rows.iter().chain(&inside) {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query =
                CHOSEN.iter().fold(text(&target["expr"]), |query, (name, value)| query.replace(name, value));
            queries.push((text(&panel["title"]), query));
        }
    }
    queries
}

/// The series, and the label, that each variable is chosen from.
pub(crate) fn variables() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let all = dashboard["templating"]["list"].as_array().unwrap();
    let values = all.iter().filter(|variable| variable["type"] == "query").map(|variable| {
        let query = text(&variable["query"]["query"]);
        let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
        let (series, label) = inner.rsplit_once(", ").unwrap();
        (
            CHOSEN.iter().fold(series.to_owned(), |series, (name, value)| series.replace(name, value)),
            label.to_owned(),
        )
    });
    values.collect()
}

/// Whether a query has at least one number.
pub(crate) async fn has_data(prometheus: &Program, query: &str) -> bool {
    let number = |series: &Value| text(&series["value"][1]).parse::<f64>().unwrap();
    prometheus.query(query).await.iter().any(|series| number(series).is_finite())
}

fn dashboard() -> Value {
    serde_json::from_str(&std::fs::read_to_string(asset("grafana/portcullis.json")).unwrap()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
