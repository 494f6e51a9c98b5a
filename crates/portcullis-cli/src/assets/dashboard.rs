//! The dashboard of Grafana.

use portcullis::metrics::names::HEALTH_OVERALL;
use serde_json::{Value, json};

use super::{
    panels::source,
    rows::{self, Row},
};

/// How many columns a dashboard has, how many a panel takes, and how many lines.
const COLUMNS: usize = 24;
const WIDTH: usize = 8;
const HEIGHT: usize = 8;

/// Rows that are open at first.
const OPEN: usize = 2;

/// The whole of it.
pub(super) fn json() -> String {
    let dashboard = json!({
        "uid": "portcullis", "title": "Portcullis", "tags": ["portcullis"], "schemaVersion": 38, "version": 1,
        "editable": true, "refresh": "15s", "graphTooltip": 1, "time": { "from": "now-1h", "to": "now" },
        "timezone": "browser", "annotations": { "list": [] }, "links": [],
        "templating": { "list": variables() },
        "panels": panels(&rows::all()),
    });
    format!("{dashboard:#}\n")
}

fn variables() -> Value {
    // Every service that shows anything shows this.
    let overall = HEALTH_OVERALL.name;
    json!([
        {
            "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1,
            "hide": 0, "multi": false, "includeAll": false, "current": {}, "options": [],
        },
        variable("job", "Job", &format!("label_values({overall}, job)")),
        variable("instance", "Instance", &format!(r#"label_values({overall}{{job=~"$job"}}, instance)"#)),
        variable(
            "policy",
            "Policy",
            r#"label_values({__name__=~"portcullis_.+", policy!="", job=~"$job", instance=~"$instance"}, policy)"#,
        ),
    ])
}

/// Something to choose by, or all of it.
fn variable(name: &str, label: &str, query: &str) -> Value {
    json!({
        "name": name, "label": label, "type": "query", "datasource": source(), "definition": query,
        "query": { "query": query, "refId": name }, "refresh": 2, "sort": 1, "hide": 0,
        "multi": true, "includeAll": true, "allValue": ".*",
        "current": { "selected": true, "text": ["All"], "value": ["$__all"] }, "options": [],
    })
}

/// Rows one below the other. The panels of a row that is closed are inside of it, those of an open one after it.
fn panels(rows: &[Row]) -> Vec<Value> {
    let (mut all, mut y, mut id) = (Vec::new(), 0, 0);
    let mut next = || {
        id += 1;
        id
    };
    for (at, (title, panels)) in rows.iter().enumerate() {
        let row = next();
        let inside: Vec<_> =
            panels.iter().enumerate().map(|(nth, panel)| panel.json(next(), &place(nth, y + 1))).collect();
        let lines = panels.len().div_ceil(COLUMNS / WIDTH) * HEIGHT;
        let open = at < OPEN;
        all.push(json!({
            "id": row, "title": title, "type": "row", "collapsed": !open,
            "gridPos": { "x": 0, "y": y, "w": COLUMNS, "h": 1 }, "panels": if open { &[] } else { &inside[..] },
        }));
        y += 1;
        if open {
            all.extend(inside);
            y += lines;
        }
    }
    all
}

/// Where the `nth` panel of a row is whose panels begin at `top`.
fn place(nth: usize, top: usize) -> Value {
    let columns = COLUMNS / WIDTH;
    json!({ "x": nth % columns * WIDTH, "y": top + nth / columns * HEIGHT, "w": WIDTH, "h": HEIGHT })
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::metrics::names;

    /// A metric that is added to the code must be shown somewhere.
    #[test]
    fn every_metric_is_shown() {
        let shown = json();
        for metric in names::ALL {
            let used = ["{", "_bucket{"].iter().any(|end| shown.contains(&format!("{}{end}", metric.name)));
            assert!(used, "{} is nowhere in the dashboard", metric.name);
        }
    }

    #[test]
    fn panels_have_numbers_of_their_own_and_lie_beside_each_other() {
        let dashboard: Value = serde_json::from_str(&json()).expect("JSON");
        let rows = dashboard["panels"].as_array().expect("panels");
        let inside = rows.iter().filter_map(|row| row["panels"].as_array()).flatten();
        let mut ids: Vec<_> = rows.iter().chain(inside).map(|panel| panel["id"].to_string()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert!(count > rows.len() && ids.len() == count);
        let mut places: Vec<_> = rows.iter().map(|row| row["gridPos"].to_string()).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), rows.len());
    }
}
