//! What a registry, listeners and metrics see.

use std::sync::{Arc, Mutex};

use portcullis::{
    Level, Mode, Overload, PolicyKind, Registry,
    event::{EventKind, Interest},
    metrics::{Measures, Metric},
    registry::Value,
};

use super::support::{ms, overload, refused, shed};

#[tokio::test(start_paused = true)]
async fn a_snapshot_tells_whether_it_sheds() {
    let registry = Registry::new();
    let shed = shed().max_in_flight(2).registry(&registry).build().unwrap();
    let seen = || registry.get(PolicyKind::LoadShed, "api").unwrap().snapshot();
    assert_eq!((seen().state, seen().level), ("active", Level::Healthy));
    let running: Vec<_> = (0..3).map(|_| shed.try_admit()).collect();
    assert_eq!((seen().state, seen().level), ("shedding", Level::Degraded));
    for value in [("in_flight", Value::Count(2)), ("limit", Value::Count(2)), ("rejected", Value::Count(1))] {
        assert!(seen().values.contains(&value), "{value:?} in {:?}", seen().values);
    }
    drop(running);
    tokio::time::sleep(ms(1001)).await;
    assert_eq!((seen().state, seen().level), ("active", Level::Healthy));
    overload(&shed, ms(1000)).await;
    tokio::time::sleep(ms(1500)).await;
    assert_eq!((seen().state, seen().level), ("shedding", Level::Degraded));
    assert!(seen().values.contains(&("overload", Value::Word("queue_delay"))));
}

#[tokio::test(start_paused = true)]
async fn an_overload_is_told_when_it_begins_and_when_it_ends() {
    let shed = shed().build().unwrap();
    overload(&shed, ms(2000)).await;
    for _ in 0..80 {
        let _ = shed.try_admit();
        tokio::time::sleep(ms(100)).await;
    }
    let told = shed.recent_events();
    let [began, ended] = &told[..] else { panic!("{told:?}") };
    let EventKind::OverloadChanged { overloaded: true, signal: Overload::QueueDelay, measured, limit } =
        began.what
    else {
        panic!("{began}")
    };
    assert!(measured > 0.02 && limit == 0.02);
    assert!(began.to_string().starts_with("load_shed 'api' is overloaded: queue_delay is 0.0"), "{began}");
    assert_eq!(ended.to_string(), "load_shed 'api' is no longer overloaded");
    assert_eq!(ended.what.as_str(), "overload_changed");
}

#[tokio::test(start_paused = true)]
async fn listeners_hear_of_refusals_enforced_or_not() {
    let registry = Registry::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| {
        if let EventKind::Rejected { enforced, .. } = event.what {
            told.lock().unwrap().push((event.to_string(), enforced));
        }
    });
    let shed = shed().max_in_flight(1).no_retry_after().registry(&registry).build().unwrap();
    let _running = shed.try_admit();
    assert_eq!(shed.try_admit().unwrap_err().retry_after(), None);
    shed.set_mode(Mode::Shadow).unwrap();
    drop(shed.try_admit());
    let what = "is overloaded: in_flight is 1, allowed is 1";
    let expected = [
        (format!("load_shed 'api' {what}"), true),
        (format!("load_shed 'api' would have refused: it {what}"), false),
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[derive(Default)]
struct Seen(Vec<(&'static str, Vec<String>, f64)>);

impl Measures for Seen {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], value: u64) {
        self.gauge(metric, labels, value as f64);
    }

    fn gauge(&mut self, metric: &'static Metric, labels: &[&'static str], value: f64) {
        self.0.push((metric.name, labels.iter().map(|label| (*label).to_owned()).collect(), value));
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_show_the_threshold_and_what_is_in_flight() {
    let registry = Registry::new();
    let shed = shed().max_in_flight(50).pressure_of(0.9, || Some(0.25)).registry(&registry).build().unwrap();
    // What may block is asked on another thread.
    drop(shed.try_admit());
    tokio::time::sleep(ms(1000)).await;
    overload(&shed, ms(2000)).await;
    refused(&shed);
    let _running = shed.try_admit_as(&portcullis::shed::Arrival::of(portcullis::Priority::Highest)).unwrap();
    let mut seen = Seen::default();
    registry.get(PolicyKind::LoadShed, "api").unwrap().measure(&mut seen);
    let of = |name: &str| seen.0.iter().find(|seen| seen.0 == name).map(|seen| seen.2).unwrap();
    assert_eq!((of("portcullis_shed_in_flight"), of("portcullis_shed_limit")), (1.0, 50.0));
    assert!(of("portcullis_shed_cut") > 0.1 && of("portcullis_shed_level") > 0.0);
    assert!(of("portcullis_shed_queue_delay_seconds") > 0.02);
    assert!((of("portcullis_shed_pressure") - 0.25).abs() < 1e-9);
    let refused = |labels: [&str; 3]| {
        let of = |seen: &&(_, Vec<String>, f64)| seen.0 == "portcullis_rejections_total" && seen.1 == labels;
        seen.0.iter().find(of).unwrap().2
    };
    assert!(refused(["load_shed", "queue_delay", "enforced"]) > 0.0);
    assert_eq!(refused(["load_shed", "in_flight", "enforced"]), 0.0);
    assert_eq!(refused(["load_shed", "queue_delay", "shadow"]), 0.0);
}
