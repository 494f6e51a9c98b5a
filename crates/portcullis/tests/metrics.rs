//! What a scrape of the metrics sees.
#![cfg(feature = "metrics")]
#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use portcullis::{
    Breaker, Bulkhead, Delivery, Failure, FailureKind, HealthMonitor, KeyedRetry, Probe, Registry,
    RetryBudget, RetryPolicy, Ticket, Timeout, Verdict,
    metrics::{BUCKETS, Metric, MetricKind, Publisher, names},
    retry::BudgetConfig,
};

fn scraped(test: impl FnOnce(&PrometheusHandle)) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || test(&handle));
}

fn breaker(name: &str, registry: &Registry) -> Breaker {
    Breaker::builder(name).registry(registry).build().unwrap()
}

/// The samples whose line begins so, without the name and labels.
fn samples(scrape: &PrometheusHandle, begin: &str) -> Vec<f64> {
    let text = scrape.render();
    let lines = text.lines().filter(|line| line.starts_with(begin));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect()
}

fn state(scrape: &PrometheusHandle) -> Vec<f64> {
    samples(scrape, "portcullis_breaker_state{")
}

/// T16: open, half-open and closed were shown together.
#[test]
fn t16_exactly_the_current_state_is_shown_and_at_once() {
    scraped(|scrape| {
        let registry = Registry::new();
        let publisher = Publisher::new(&registry);
        let breaker = breaker("x", &registry);
        publisher.publish();
        assert_eq!(state(scrape), [0.0]);
        breaker.trip();
        assert_eq!(state(scrape), [1.0]);
        breaker.isolate();
        assert_eq!(state(scrape), [4.0]);
        breaker.reset();
        assert_eq!(state(scrape), [0.0]);
        let transitions = samples(scrape, "portcullis_breaker_transitions_total{");
        assert_eq!(transitions, [1.0; 3]);
    });
}

/// Changes of several threads may be told in any order; what is shown is the state nevertheless.
#[test]
fn the_last_state_is_shown_whoever_made_it() {
    scraped(|scrape| {
        let registry = Registry::new();
        let publisher = Publisher::new(&registry);
        let breaker = breaker("x", &registry);
        publisher.publish();
        for _ in 0..50 {
            std::thread::scope(|scope| {
                scope.spawn(|| (0..20).for_each(|_| breaker.trip()));
                scope.spawn(|| (0..20).for_each(|_| breaker.reset()));
                scope.spawn(|| (0..20).for_each(|_| breaker.isolate()));
            });
            assert_eq!(state(scrape), [f64::from(names::breaker_state_number(breaker.state()))]);
        }
    });
}

#[test]
fn calls_are_counted_by_how_they_ended() {
    scraped(|scrape| {
        let registry = Registry::new();
        let publisher = Publisher::new(&registry);
        let breaker = breaker("x", &registry);
        for _ in 0..3 {
            breaker.try_admit().unwrap().settle(Verdict::Success);
        }
        breaker.try_admit().unwrap().settle(Failure::new(FailureKind::Timeout).into());
        drop(breaker.try_admit().unwrap());
        publisher.publish();
        // What is published twice counts once.
        publisher.publish();

        let of = |outcome| {
            let labels = format!(r#"policy="x",kind="breaker",outcome="{outcome}""#);
            samples(scrape, &format!("portcullis_calls_total{{{labels}}}"))
        };
        assert_eq!((of("success"), of("failure"), of("abandoned")), (vec![3.0], vec![1.0], vec![1.0]));
        assert_eq!(samples(scrape, "portcullis_breaker_failure_ratio{"), [0.25]);
    });
}

#[test]
fn policies_of_one_name_add_up_and_a_new_one_goes_on() {
    scraped(|scrape| {
        let registry = Registry::new();
        let publisher = Publisher::new(&registry);
        for _ in 0..2 {
            let two = [breaker("x", &registry), breaker("x", &registry)];
            two.iter().for_each(|one| one.try_admit().unwrap().settle(Verdict::Success));
            publisher.publish();
        }
        let successes = r#"portcullis_calls_total{policy="x",kind="breaker",outcome="success"}"#;
        assert_eq!(samples(scrape, successes), [4.0]);
    });
}

#[test]
fn the_youngest_of_one_name_shows_its_state() {
    scraped(|scrape| {
        let registry = Registry::new();
        let publisher = Publisher::new(&registry);
        let (old, young) = (breaker("x", &registry), breaker("x", &registry));
        young.trip();
        old.isolate();
        publisher.publish();
        assert_eq!(state(scrape), [1.0]);
        drop(young);
        publisher.publish();
        assert_eq!(state(scrape), [4.0]);
    });
}

#[test]
fn a_breaker_that_is_gone_does_not_stay_open() {
    scraped(|scrape| {
        let registry = Registry::new();
        let publisher = Publisher::new(&registry);
        let breaker = breaker("x", &registry);
        breaker.trip();
        drop(breaker);
        publisher.publish();
        assert_eq!(state(scrape), [0.0]);
        assert_eq!(format!("{publisher:?}"), "Publisher { policies: 0 }");
    });
}

#[test]
fn a_publisher_that_is_gone_hears_nothing() {
    scraped(|scrape| {
        let registry = Registry::new();
        drop(Publisher::new(&registry));
        breaker("x", &registry).trip();
        assert!(state(scrape).is_empty());
    });
}

#[test]
fn every_name_shown_is_a_known_one_with_its_labels_and_meaning() {
    scraped(|scrape| {
        let registry = Registry::new();
        let publisher = Publisher::new(&registry);
        let breaker = breaker("x", &registry);
        breaker.isolate();
        breaker.try_admit().unwrap_err();
        let _others = (
            Bulkhead::builder("x").registry(&registry).build().unwrap(),
            RetryPolicy::builder("x").registry(&registry).build().unwrap(),
            Timeout::builder("x", Duration::from_secs(1)).registry(&registry).build().unwrap(),
        );
        publisher.publish();
        let text = scrape.render();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, labels) = line.split_once('{').unwrap_or((line.split(' ').next().unwrap(), ""));
            let is_it = |metric: &Metric| match metric.kind {
                MetricKind::Histogram => {
                    ["", "_sum", "_count"].iter().any(|end| name == [metric.name, end].concat())
                }
                _ => metric.name == name,
            };
            let metric = names::ALL.iter().find(|metric| is_it(metric)).unwrap();
            let name = metric.name;
            let labels = labels.split('}').next().unwrap().split(',').filter(|label| !label.is_empty());
            let labels = labels.map(|label| label.split('=').next().unwrap());
            // The exporter's own, of a recorder without buckets.
            let labels: Vec<_> = labels.filter(|label| *label != "quantile").collect();
            assert_eq!(labels, metric.labels, "{line}");
            assert!(text.contains(&format!("# HELP {name} ")), "{line}");
        }
    });
}

/// A check's level at once, the whole with it, and each of its runs once.
#[tokio::test(start_paused = true)]
async fn checks_are_shown() {
    let recorder = PrometheusBuilder::new().set_buckets(&[0.5, 5.0]).unwrap().build_recorder();
    let scrape = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let registry = Registry::new();
    let publisher = Publisher::new(&registry);
    let monitor = HealthMonitor::new(&registry);
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Err::<(), _>(portcullis::BoxError::from("gone"))
    };
    monitor.check("database").critical(true).spawn(slow).unwrap();
    monitor.run_now().await;
    assert_eq!(samples(&scrape, r#"portcullis_health{check="database"}"#), [3.0], "at once");

    for _ in 0..3 {
        publisher.publish();
        publisher.publish();
        monitor.run_now().await;
    }
    publisher.publish();
    assert_eq!(samples(&scrape, "portcullis_health_overall"), [3.0]);
    let took = |rest: &str| samples(&scrape, &format!("portcullis_health_check_duration_seconds_{rest}"));
    assert_eq!((took("count"), took("sum")), (vec![4.0], vec![4.0]));
    assert_eq!(took("bucket"), [0.0, 4.0, 4.0]);
    let ended = r#"portcullis_health_checks_total{check="database",result="failure"}"#;
    assert_eq!(samples(&scrape, ended), [4.0]);

    drop(monitor);
    publisher.publish();
    assert_eq!(samples(&scrape, "portcullis_health_overall"), [0.0]);
}

/// Both have the label `check`, and nothing else: which of them was shown, was chance.
#[tokio::test(start_paused = true)]
async fn of_a_check_and_a_probe_of_one_name_the_worse_is_shown() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let scrape = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let registry = Registry::new();
    let publisher = Publisher::new(&registry);
    let monitor = HealthMonitor::new(&registry);
    let well = Arc::new(AtomicBool::new(true));
    let asked = well.clone();
    let check = move || {
        let well = asked.load(Relaxed);
        async move { if well { Ok(()) } else { Err(portcullis::BoxError::from("gone")) } }
    };
    monitor.check("x").critical(true).spawn(check).unwrap();
    let probe = Probe::builder("x").down_after(1).up_after(1).registry(&registry).build().unwrap();
    let shown = || samples(&scrape, r#"portcullis_health{check="x"}"#);

    for (check, up, level) in
        [(true, true, 1.0), (true, false, 2.0), (false, false, 3.0), (false, true, 3.0), (true, false, 2.0)]
    {
        well.store(check, Relaxed);
        monitor.run_now().await;
        probe.observe(if up { Verdict::Success } else { Failure::new(FailureKind::Timeout).into() });
        assert_eq!(shown(), [level], "at once");
        publisher.publish();
        assert_eq!(shown(), [level]);
    }
    drop(monitor);
    publisher.publish();
    assert_eq!(shown(), [2.0], "what is left");
    drop(probe);
    publisher.publish();
    assert_eq!(shown(), [0.0]);
}

#[tokio::test(start_paused = true)]
async fn publishes_every_so_often() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let scrape = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let registry = Registry::new();
    let task = tokio::spawn(Publisher::new(&registry).run(Duration::from_secs(5)));
    let breaker = breaker("x", &registry);
    let mut successes = Vec::new();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        tokio::task::yield_now().await;
        breaker.try_admit().unwrap().settle(Verdict::Success);
        let begin = r#"portcullis_calls_total{policy="x",kind="breaker",outcome="success"}"#;
        successes.extend(samples(&scrape, begin));
    }
    assert_eq!(successes, [0.0, 1.0, 2.0]);
    task.abort();
}

#[tokio::test]
async fn what_slow_readers_lose_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let scrape = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let registry = Registry::new();
    let publisher = Publisher::new(&registry);
    let mut events = registry.events().subscribe("slow");
    let breaker = breaker("x", &registry);
    breaker.isolate();
    for _ in 0..portcullis::event::STREAM_BUFFER {
        breaker.try_admit().unwrap_err();
    }
    assert_eq!(events.next().await, Some(portcullis::event::Received::Lagged(1)));
    publisher.publish();
    publisher.publish();
    assert_eq!(samples(&scrape, r#"portcullis_events_lagged_total{subscriber="slow"}"#), [1.0]);
}

/// By the kind of failure of the one before, and by why there was no other.
#[test]
fn retries_and_what_stopped_them_are_counted() {
    scraped(|scrape| {
        let registry = Registry::new();
        let publisher = Publisher::new(&registry);
        let policy = RetryPolicy::builder("x").registry(&registry).budget_of(0.0, 4).build().unwrap();
        for kind in [FailureKind::Timeout, FailureKind::Network] {
            let mut call = policy.begin().idempotent(true);
            for _ in 0..2 {
                call.next(&Failure::new(kind)).unwrap();
            }
            call.next(&Failure::new(kind)).unwrap_err();
        }
        policy.begin().idempotent(true).next(&Failure::new(FailureKind::Timeout)).unwrap_err();
        policy.begin().next(&Failure::new(FailureKind::Timeout)).unwrap_err();
        publisher.publish();
        publisher.publish();

        let of = |name, label: &str, value: &str| {
            samples(scrape, &format!(r#"portcullis_{name}{{policy="x",{label}="{value}"}}"#))
        };
        let retries = |kind: FailureKind| of("retry_attempts_total", "reason", kind.as_str());
        assert_eq!((retries(FailureKind::Timeout), retries(FailureKind::Network)), (vec![2.0], vec![2.0]));
        assert_eq!(retries(FailureKind::Other), [0.0]);
        let stopped = |why| of("retry_stopped_total", "why", why);
        assert_eq!((stopped("exhausted"), stopped("budget")), (vec![2.0], vec![1.0]));
        assert_eq!((stopped("not_retryable"), stopped("pushback")), (vec![1.0], vec![0.0]));
        assert!(stopped("disabled").is_empty(), "nothing is recorded then");
        assert_eq!(samples(scrape, r#"portcullis_budget_available{budget="x"}"#), [0.0]);
    });
}

#[test]
fn a_budget_that_is_shared_is_shown_once() {
    scraped(|scrape| {
        let registry = Registry::new();
        let publisher = Publisher::new(&registry);
        let budget = RetryBudget::shared("both", BudgetConfig::share(0.0, 7), &registry).unwrap();
        let two = ["a", "b"]
            .map(|name| RetryPolicy::builder(name).registry(&registry).budget(&budget).build().unwrap());
        two[0].begin().idempotent(true).next(&Failure::new(FailureKind::Timeout)).unwrap();
        publisher.publish();
        assert_eq!(samples(scrape, "portcullis_budget_available{"), [6.0]);
    });
}

/// However many keys there are: one policy, and that of the keys without room.
#[test]
fn a_keyed_retry_is_shown_as_one() {
    scraped(|scrape| {
        let registry = Registry::new();
        let publisher = Publisher::new(&registry);
        let keyed = KeyedRetry::builder("keyed").registry(&registry).max_keys(2).build().unwrap();
        for key in ["a", "b", "c"] {
            let failure = Failure::new(FailureKind::Timeout).delivery(Delivery::NotSent);
            keyed.policy(key).begin().next(&failure).unwrap();
        }
        publisher.publish();
        let retries = |policy| {
            let labels = format!(r#"policy="{policy}",reason="timeout""#);
            samples(scrape, &format!("portcullis_retry_attempts_total{{{labels}}}"))
        };
        assert_eq!((retries("keyed"), retries("keyed/(other)")), (vec![2.0], vec![1.0]));
        assert_eq!(samples(scrape, "portcullis_retry_attempts_total{").len(), 2 * FailureKind::ALL.len());
        assert_eq!(samples(scrape, "portcullis_keyed_entries{"), [2.0]);
        assert_eq!(samples(scrape, r#"portcullis_keyed_evictions_total{policy="keyed""#), [0.0, 0.0]);
        assert_eq!(samples(scrape, "portcullis_budget_available{"), [9.0], "that of the others");
    });
}

/// How long calls waited for a permit: each once, in its bucket, and with what it took.
#[tokio::test(start_paused = true)]
async fn waits_are_shown() {
    let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS).unwrap().build_recorder();
    let scrape = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let registry = Registry::new();
    let publisher = Publisher::new(&registry);
    let bulkhead =
        Bulkhead::builder("x").max_in_flight(1).queue(9, Duration::from_secs(5)).registry(&registry);
    let bulkhead = bulkhead.build().unwrap();
    let shown = |rest: &str| samples(&scrape, &format!("portcullis_bulkhead_wait_seconds_{rest}"));
    for held in [Duration::from_millis(40), Duration::from_millis(100), Duration::from_secs(9)] {
        let permit = bulkhead.admit().await.unwrap();
        let holder = async {
            tokio::time::sleep(held).await;
            drop(permit);
        };
        let (waited, ()) = tokio::join!(bulkhead.admit(), holder);
        assert_eq!(waited.is_err(), held > Duration::from_secs(5));
        publisher.publish();
        publisher.publish();
    }
    assert_eq!(shown("count"), [3.0]);
    assert!((shown("sum")[0] - 5.14).abs() < 0.01, "{:?}", shown("sum"));
    assert_eq!(shown("bucket"), [0., 0., 0., 0., 0., 1., 2., 2., 2., 2., 2., 3., 3., 3., 3.]);
}
