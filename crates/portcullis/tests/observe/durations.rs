//! How long calls took.

use std::time::Duration;

use portcullis::{
    BoxError, Name, ObserveLayer, Observer, Reason, Registry, Rejection,
    metrics::{Bucket, Measures, Metric, names},
    observe::Config,
};
use tower::{Layer, ServiceExt, service_fn};

fn measuring() -> Observer {
    Observer::builder("shop").durations(true).registry(&Registry::new()).build().unwrap()
}

/// Calls that take so many milliseconds.
async fn take(observer: &Observer, millis: impl IntoIterator<Item = u64>) {
    let service = ObserveLayer::calls(observer.clone()).layer(service_fn(|millis: u64| async move {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Ok::<_, BoxError>(())
    }));
    for millis in millis {
        service.clone().oneshot(millis).await.unwrap();
    }
}

/// Counts by kind and bucket.
#[derive(Default)]
struct Read(Vec<(&'static str, Vec<Bucket>)>);

impl Measures for Read {
    fn counter(&mut self, _: &'static Metric, _: &[&'static str], _: u64) {}

    fn gauge(&mut self, _: &'static Metric, _: &[&'static str], _: f64) {}

    fn buckets(&mut self, metric: &'static Metric, labels: &[&'static str], counted: &[Bucket]) {
        assert_eq!((metric.name, labels.len()), (names::CALL_DURATION.name, 1));
        self.0.push((labels[0], counted.to_vec()));
    }
}

fn read(registry: &Registry) -> Read {
    let mut read = Read::default();
    registry.policies().iter().for_each(|policy| policy.measure(&mut read));
    read
}

#[tokio::test(start_paused = true)]
async fn the_percentiles_are_those_of_the_calls() {
    let observer = measuring();
    take(&observer, 1..=100).await;
    let took = observer.status().calls.took.unwrap();
    for (seen, millis) in [(took.p50, 50), (took.p95, 95), (took.p99, 99)] {
        assert!(seen.abs_diff(Duration::from_millis(millis)) < Duration::from_millis(6), "{took:?}");
    }
    tokio::time::sleep(Duration::from_secs(180)).await;
    assert_eq!(observer.status().calls.took, None, "long ago");
}

#[tokio::test(start_paused = true)]
async fn each_call_is_in_its_bucket() {
    let registry = Registry::new();
    let observer = Observer::builder("shop").durations(true).registry(&registry).build().unwrap();
    take(&observer, [2, 30, 30, 20_000]).await;
    let read = read(&registry);
    let (kind, buckets) = &read.0[0];
    let counts: Vec<_> = buckets.iter().map(|bucket| bucket.count).collect();
    assert_eq!((*kind, read.0.len()), ("call", 1));
    assert_eq!((counts[1], counts[5], counts[13], counts.iter().sum::<u64>()), (1, 2, 1, 4));
}

/// How soon one is refused, or gives up, says nothing of how long calls take.
#[tokio::test(start_paused = true)]
async fn refusals_and_those_who_give_up_are_not_measured() {
    let observer = measuring();
    let refusal = Rejection::new(Name::from("room"), Reason::BulkheadFull { limit: 1, queued: 0 });
    observer.call(|| async { Err::<(), _>(refusal) }).await.unwrap_err();
    drop(observer.begin());
    assert_eq!(observer.status().calls.took, None);
    assert_eq!((observer.status().calls.rejected, observer.status().calls.abandoned), (1, 1));
}

/// Not by default, because it costs two looks at the clock.
#[tokio::test(start_paused = true)]
async fn they_are_measured_when_that_is_asked_for() {
    let registry = Registry::new();
    let observer = Observer::builder("shop").registry(&registry).build().unwrap();
    take(&observer, [5]).await;
    assert_eq!((observer.status().calls.took, read(&registry).0.len()), (None, 0));
    observer.reconfigure(Config { durations: true, ..observer.config() }).unwrap();
    take(&observer, [5]).await;
    assert_eq!(read(&registry).0[0].1.iter().map(|bucket| bucket.count).sum::<u64>(), 1);
    assert_eq!(observer.status().calls.successes, 2);
}
