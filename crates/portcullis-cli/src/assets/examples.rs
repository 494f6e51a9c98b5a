//! Settings to start from, and what the files are for.

use std::fmt::Write;

use super::rules::Groups;

/// Scrapes one service and tells Alertmanager.
pub(super) const PROMETHEUS: &str = "\
# Made by `portcullis assets`: an example to start from.
#   promtool check config prometheus.yml
global:
  scrape_interval: 15s
  evaluation_interval: 15s
rule_files:
  - portcullis.rules.yml
alerting:
  alertmanagers:
    - static_configs:
        - targets: [\"127.0.0.1:9093\"]
scrape_configs:
  - job_name: shop
    metrics_path: /metrics
    static_configs:
      - targets: [\"127.0.0.1:3000\"]
";

/// Tells people: at once and again where somebody has to get up, else together and rarely.
pub(super) const ALERTMANAGER: &str = "\
# Made by `portcullis assets`: an example to start from.
#   amtool check-config alertmanager.yml
route:
  receiver: team
  group_by: [alertname, job, policy]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 12h
  routes:
    - matchers: ['severity=\"critical\"']
      receiver: pager
      group_wait: 10s
      repeat_interval: 1h
    - matchers: ['severity=\"info\"']
      receiver: log
receivers:
  - name: pager
    webhook_configs:
      - url: http://127.0.0.1:5001/pager
        send_resolved: true
  - name: team
    webhook_configs:
      - url: http://127.0.0.1:5001/team
        send_resolved: true
  - name: log
    webhook_configs:
      - url: http://127.0.0.1:5001/log
        send_resolved: false
inhibit_rules:
  # An instance that is gone explains all that is said of it.
  - source_matchers: ['alertname=\"PortcullisDown\"']
    target_matchers: ['alertname!=\"PortcullisDown\"']
    equal: [job, instance]
  # What stays open is open.
  - source_matchers: ['alertname=\"PortcullisBreakerStaysOpen\"']
    target_matchers: ['alertname=\"PortcullisBreakerOpen\"']
    equal: [job, instance, policy]
  # Who cannot work is degraded besides.
  - source_matchers: ['alertname=\"PortcullisHealthCritical\"']
    target_matchers: ['alertname=\"PortcullisHealthDegraded\"']
    equal: [job, instance]
";

/// What the files are for, with a table of the alerts.
pub(super) fn readme(groups: &Groups) -> String {
    let mut text = HEAD.to_owned();
    for alert in groups.iter().flat_map(|(_, alerts)| alerts) {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            alert.name,
            alert.severity.as_str(),
            alert.wait,
            alert.runbook
        );
    }
    text
}

const HEAD: &str = "\
# Dashboards and alerts

Made by `portcullis assets` from the names that the code publishes its metrics under. To have them elsewhere, and as
they are in the version you run: `portcullis assets --out DIR`.

A service shows its metrics with the feature `prometheus`, in two lines:

```rust,ignore
let prometheus = portcullis::metrics::Prometheus::install()?;
let app = app.route(\"/metrics\", get(move || std::future::ready(prometheus.response())));
```

| file | what to do with it |
|---|---|
| `grafana/portcullis.json` | import it into Grafana, and choose a Prometheus |
| `prometheus/portcullis.rules.yml` | name it in `rule_files` |
| `prometheus/portcullis.rules.test.yml` | `promtool test rules` it after changes of the rules |
| `prometheus/prometheus.yml` | start from it: which services are asked |
| `alertmanager/alertmanager.yml` | start from it: who is told what, and how often |

| alert | severity | for | what to do |
|---|---|---|---|
";
