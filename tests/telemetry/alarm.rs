//! A breaker opens, and somebody is told; it closes, and they are told that, too.

use std::{
    process::Stdio,
    time::{Duration, SystemTime},
};

use portcullis::{Registry, breaker::State, metrics::Prometheus};
use portcullis_tests::net::soon;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{
    hooks::Hooks,
    patterns::Patterns,
    programs::{Program, until},
    queries,
    shop::Shop,
};

const ALERT: &str = "PortcullisBreakerOpen";
/// How long it may take until Alertmanager knows.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

/// T16 is in it: the state that is shown is the state there is, and the only one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_breaker_is_told_within_half_a_minute_and_so_is_its_end() {
    let registry = Registry::new();
    let exporter = Prometheus::install_with(Prometheus::builder(), &registry).unwrap();
    let patterns = Patterns::new(&registry).await.unwrap();
    tokio::select! {
        () = patterns.run() => unreachable!("it runs for as long as it is polled"),
        () = open_and_close(&registry, exporter) => {}
    }
}

async fn open_and_close(registry: &Registry, exporter: Prometheus) {
    let directory = tempfile::tempdir().unwrap();
    let hooks = Hooks::start().await;
    let shop = Shop::start(registry, exporter.clone()).await;
    let alertmanager = Program::alertmanager(directory.path(), &hooks.url()).await;
    let prometheus = Program::prometheus(directory.path(), &shop.address(), &alertmanager.address).await;
    let watch = Watch { shop: &shop, prometheus: &prometheus, alertmanager: &alertmanager };

    until("the first scrape", async || watch.state().await).await;
    assert_eq!(watch.state().await, Some(0.0));
    let opened = watch.fail().await;
    watch.told(opened).await;
    until("the team is told", async || hooks.were_told("team", ALERT, "firing").then_some(())).await;
    watch.all_panels().await;
    watch.all_rules().await;

    let closed = watch.recover().await;
    until("the alert is gone", async || watch.alerts().await.is_empty().then_some(())).await;
    until("the team is told so", async || hooks.were_told("team", ALERT, "resolved").then_some(())).await;
    assert!(!hooks.were_told("pager", ALERT, "firing"), "nobody gets up for it");
    watch.no_other_state(opened, closed).await;
    lint(&exporter.render()).await;
    assert!(directory.path().join("series").is_dir(), "what they keep is in a place of its own");
}

struct Watch<'a> {
    shop: &'a Shop,
    prometheus: &'a Program,
    alertmanager: &'a Program,
}

impl Watch<'_> {
    /// The state that Prometheus has, of which there is one.
    async fn state(&self) -> Option<f64> {
        let series = self.prometheus.query(r#"portcullis_breaker_state{policy="shop"}"#).await;
        assert!(series.len() < 2, "{series:?}");
        Some(series.first()?["value"][1].as_str().unwrap().parse().unwrap())
    }

    /// Everything fails, and the breaker opens: when, by the clock on the wall.
    async fn fail(&self) -> f64 {
        self.shop.set_broken(true);
        until("it opens", async || (self.shop.breaker.state() == State::Open).then_some(())).await;
        now()
    }

    async fn alerts(&self) -> Vec<serde_json::Value> {
        let filter = format!(r#"alertname="{ALERT}""#);
        let alerts =
            self.alertmanager.get("/api/v2/alerts", &[("filter", &filter), ("active", "true")]).await;
        alerts.as_array().unwrap().clone()
    }

    async fn told(&self, opened: f64) {
        let alerts = until("it is told", async || {
            let alerts = self.alerts().await;
            (!alerts.is_empty()).then_some(alerts)
        })
        .await;
        let took = now() - opened;
        assert!(took < TOLD_WITHIN.as_secs_f64(), "after {took} s");
        let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
        assert_eq!(
            (&alert["labels"]["policy"], &alert["labels"]["severity"]),
            (&"shop".into(), &"warning".into())
        );
        assert_eq!(alert["annotations"]["summary"], "The breaker shop is open");
    }

    /// The dashboard shows something everywhere, and can be chosen from.
    async fn all_panels(&self) {
        let queries = queries::panels();
        assert!(queries.len() > 50, "{}", queries.len());
        for (panel, query) in queries {
            let what = format!("{panel}: {query}");
            until(&what, async || queries::has_data(self.prometheus, &query).await.then_some(())).await;
        }
        for (series, label) in queries::variables() {
            let path = format!("/api/v1/label/{label}/values");
            let values = self.prometheus.get(&path, &[("match[]", &series)]).await;
            assert!(!values["data"].as_array().unwrap().is_empty(), "{series}: {values}");
        }
    }

    /// Every rule can be evaluated over what there is.
    async fn all_rules(&self) {
        let answer = self.prometheus.get("/api/v1/rules", &[("type", "alert")]).await;
        let groups = answer["data"]["groups"].as_array().unwrap();
        let rules: Vec<_> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
        assert!(rules.len() > 20, "{answer}");
        for rule in rules {
            assert_eq!(rule["health"], "ok", "{rule}");
        }
    }

    async fn recover(&self) -> f64 {
        self.shop.set_broken(false);
        until("it closes", async || (self.shop.breaker.state() == State::Closed).then_some(())).await;
        now()
    }

    /// Each scrape that began while it was open shows so, from the first on; and those since then, that it is not.
    async fn no_other_state(&self, opened: f64, closed: f64) {
        until("a scrape afterwards", async || (self.state().await == Some(0.0)).then_some(())).await;
        let series = self.prometheus.query(r#"portcullis_breaker_state{policy="shop"}[5m]"#).await;
        let [series] = series.as_slice() else { panic!("{series:?}") };
        let sample = |pair: &serde_json::Value| {
            let value: f64 = pair[1].as_str().unwrap().parse().unwrap();
            (pair[0].as_f64().unwrap(), value)
        };
        let samples: Vec<_> = series["values"].as_array().unwrap().iter().map(sample).collect();
        // A scrape has the time at which it began, and what there was a little later.
        let while_open = samples.iter().filter(|(at, _)| (opened..closed - 1.0).contains(at));
        let (states, since): (Vec<_>, Vec<_>) =
            (while_open.collect(), samples.iter().filter(|(at, _)| *at > closed).collect());
        assert_eq!(states.first().map(|sample| sample.1), Some(1.0), "{opened} {samples:?}");
        assert!(
            states.len() > 5 && states.iter().all(|(_, state)| [1.0, 2.0].contains(state)),
            "{samples:?}"
        );
        assert!(!since.is_empty() && since.iter().all(|(_, state)| *state == 0.0), "{closed} {samples:?}");
    }
}

/// What promtool has to say of the text itself.
async fn lint(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
    let output = soon(promtool.wait_with_output()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[expect(clippy::disallowed_methods, reason = "Prometheus tells times by the clock on the wall")]
fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64()
}
