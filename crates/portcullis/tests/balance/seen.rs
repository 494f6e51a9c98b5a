//! What there is to see.

use portcullis::{
    Balance, Outliers, PolicyKind, Registry,
    balance::What,
    event::EventKind,
    metrics::{Measures, Metric},
};

use super::support::{Act, fleet, is_ejected, secs, until_ejected};

#[derive(Default)]
struct Seen(Vec<(String, f64)>);

impl Measures for Seen {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64) {
        self.gauge(metric, labels, total as f64);
    }

    fn gauge(&mut self, metric: &'static Metric, labels: &[&'static str], value: f64) {
        assert_eq!(labels.len() + 1, metric.labels.len(), "{metric:?}");
        self.0.push((format!("{} {}", metric.name, labels.join(" ")).trim().to_owned(), value));
    }
}

impl Seen {
    fn of(&self, name: &str) -> f64 {
        self.0.iter().find(|seen| seen.0 == name).unwrap_or_else(|| panic!("{name} in {:?}", self.0)).1
    }
}

#[tokio::test(start_paused = true)]
async fn ejections_and_returns_are_told() {
    let registry = Registry::new();
    let outliers = Outliers::builder("fleet").registry(&registry).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 3);
    hosts[1].act(Act::Fail);
    until_ejected(&mut Balance::new(endpoints.clone()), "1").await;
    tokio::time::sleep(secs(30)).await;
    assert!(!is_ejected(&outliers, "1"));
    let told: Vec<_> = outliers.recent_events().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["balance 'fleet' ejected '1' for 30s: 5 failures in a row", "balance 'fleet' has '1' back",]
    );
    let words: Vec<_> = registry.events().recent().iter().map(|event| event.what.as_str()).collect();
    assert_eq!(words, ["ejected", "returned"]);
    let first = &outliers.recent_events()[0].what;
    assert!(
        matches!(first, EventKind::Endpoint(change) if matches!(change.what, What::Ejected { enforced: true, .. }))
    );
}

#[tokio::test(start_paused = true)]
async fn the_registry_shows_it_and_resets_it() {
    let registry = Registry::new();
    let outliers = Outliers::builder("fleet").registry(&registry).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 3);
    assert_eq!((registry.snapshot()[0].kind, registry.snapshot()[0].state), (PolicyKind::Balance, "active"));
    hosts[1].act(Act::Fail);
    until_ejected(&mut Balance::new(endpoints.clone()), "1").await;
    assert_eq!(registry.snapshot()[0].state, "ejecting");

    let mut seen = Seen::default();
    registry.get(PolicyKind::Balance, "fleet").unwrap().measure(&mut seen);
    assert_eq!((seen.of("portcullis_ejected"), seen.of("portcullis_endpoints")), (1.0, 3.0));
    assert_eq!(seen.of("portcullis_ejections_total consecutive enforced"), 1.0);
    assert_eq!(seen.of("portcullis_calls_total balance failure"), 5.0);
    let others = (hosts[0].calls() + hosts[2].calls()) as f64;
    assert_eq!(seen.of("portcullis_calls_total balance success"), others);

    registry.reset_all();
    assert_eq!(outliers.status().ejected, 0);
}

#[tokio::test(start_paused = true)]
async fn each_endpoint_shows_its_own() {
    let outliers = Outliers::builder("fleet").registry(&Registry::new()).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 2);
    hosts[0].act(Act::Fail);
    until_ejected(&mut Balance::new(endpoints.clone()), "0").await;
    tokio::time::sleep(secs(3)).await;
    let status = outliers.endpoints();
    assert_eq!((status[0].ejected_for, status[0].times, status[0].enforced), (Some(secs(27)), 1, true));
    assert_eq!((status[1].ejected_for, u64::from(status[1].successes)), (None, hosts[1].calls()));
}
