//! All other patterns, each with a little to do, so that each metric has something to show.

use std::time::Duration;

use portcullis::{
    AdaptiveLimit, Balance, BoxError, Breaker, Bulkhead, Cache, Chaos, ChaosLayer, Coalesce, Endpoints,
    Executor, Fallback, HealthMonitor, Hedge, HedgeLayer, KeyedBreaker, LoadShed, Observer, Outliers,
    RateLimit, Reconnect, Registry, ThreadPool, Throttle, Timeout,
    chaos::Latency,
    event::{EventStream, STREAM_BUFFER},
    protocol::Attempt,
    share::SharedError,
    timeout::Adaptive,
};
use portcullis_core::shed::Arrival;
use tower::{Layer, ServiceExt, service_fn};

/// What is called in a round. Each policy stays in the registry for as long as this is there.
pub(crate) struct Patterns {
    pool: ThreadPool,
    executor: Executor,
    limit: AdaptiveLimit,
    throttle: Throttle,
    rate: RateLimit,
    bulkhead: Bulkhead,
    observer: Observer,
    shed: LoadShed,
    hedge: Hedge,
    cache: Cache<Box<str>, u32>,
    fallback: Fallback,
    coalesce: Coalesce,
    timeout: Timeout,
    hosts: KeyedBreaker<Box<str>>,
    chaos: Chaos,
    outliers: Outliers,
    reconnect: Reconnect,
    monitor: HealthMonitor,
    _slow: EventStream,
}

impl Patterns {
    pub(crate) async fn new(registry: &Registry) -> Result<Self, BoxError> {
        let monitor = HealthMonitor::new(registry);
        monitor.check("database").spawn(async || Ok::<_, BoxError>(()))?;
        let second = Duration::from_secs(1);
        Ok(Self {
            pool: ThreadPool::builder("reports").threads(1).registry(registry).build()?,
            executor: Executor::builder("mail").registry(registry).build()?,
            limit: AdaptiveLimit::builder("search").registry(registry).build()?,
            throttle: Throttle::builder("search").registry(registry).build()?,
            rate: RateLimit::builder("orders").rate(1000, second).registry(registry).build()?,
            bulkhead: Bulkhead::builder("reports")
                .max_in_flight(1)
                .queue(10, second)
                .registry(registry)
                .build()?,
            observer: Observer::builder("inventory").durations(true).registry(registry).build()?,
            shed: LoadShed::builder("api")
                .max_in_flight(100)
                .queue_delay(Duration::from_millis(50), Duration::from_millis(200))
                .pressure_of(0.9, || Some(0.25))
                .registry(registry)
                .build()?,
            hedge: Hedge::builder("search")
                .fixed_delay(Duration::from_millis(5))
                .registry(registry)
                .build()?,
            cache: Cache::builder("prices").max_weight(1 << 20, |_, _| 8).registry(registry).build()?,
            fallback: Fallback::builder("prices").registry(registry).build()?,
            coalesce: Coalesce::builder("prices").registry(registry).build()?,
            timeout: Timeout::builder("search", second)
                .adaptive(Adaptive::default())
                .registry(registry)
                .build()?,
            hosts: KeyedBreaker::builder("hosts").keys::<Box<str>>().registry(registry).build()?,
            chaos: Chaos::builder("game_day")
                .latency(1.0, Latency::Fixed(Duration::from_millis(1)))
                .enabled(true)
                .registry(registry)
                .build()?,
            outliers: Outliers::builder("replicas").registry(registry).build()?,
            reconnect: Reconnect::builder("session").registry(registry).build()?,
            monitor,
            _slow: slow(registry).await?,
        })
    }

    /// Calls everything again and again.
    pub(crate) async fn run(self) {
        let endpoints = Endpoints::new(self.outliers.clone());
        for host in ["a", "b", "c", "d"] {
            let serves = service_fn(move |(): ()| async move { if host == "d" { failed() } else { Ok(()) } });
            endpoints.insert(host, serves);
        }
        let balance = Balance::new(endpoints);
        let connector = service_fn(|_port: u16| async { Ok::<_, BoxError>(service_fn(|(): ()| well())) });
        let session = self.reconnect.service(connector, 80);
        for round in 0_u64.. {
            let _ = balance.clone().oneshot(()).await;
            session.clone().oneshot(()).await.unwrap();
            self.limits().await;
            self.answers(round).await;
            self.monitor.run_now().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn limits(&self) {
        self.pool.call(well).await.unwrap();
        self.executor.call(well).await.unwrap();
        self.limit.call(well).await.unwrap();
        self.throttle.call(well).await.unwrap();
        self.rate.call(well).await.unwrap();
        let (first, second) = tokio::join!(self.bulkhead.call(slowly), self.bulkhead.call(slowly));
        first.and(second).unwrap();
        self.timeout.call(well).await.unwrap();
        let attempt = || self.observer.attempt(Attempt::FIRST, slowly);
        self.observer.call(attempt).await.unwrap();
        self.hosts.call("host-a", well).await.unwrap();
        let waited = Arrival { waited: Some(Duration::from_millis(1)), ..Arrival::PLAIN };
        drop(self.shed.try_admit_as(&waited));
    }

    async fn answers(&self, round: u64) {
        let slow = service_fn(|(): ()| async {
            tokio::time::sleep(Duration::from_millis(8)).await;
            Ok::<_, BoxError>(())
        });
        HedgeLayer::new(self.hedge.clone()).idempotent().layer(slow).oneshot(()).await.unwrap();
        let chaos = ChaosLayer::new(self.chaos.clone());
        chaos.layer(service_fn(|(): ()| well())).oneshot(()).await.unwrap();
        let price = self.cache.call(["tea", "milk"][round as usize % 2], || async { Ok::<u32, BoxError>(3) });
        price.await.unwrap();
        self.fallback.call(|| async { failed() }, |_| well()).await.unwrap();
        self.coalesce.call(7, || async { Ok::<_, SharedError>(3) }).await.unwrap();
    }
}

/// A reader of events that has lost some.
async fn slow(registry: &Registry) -> Result<EventStream, BoxError> {
    let mut events = registry.events().subscribe("audit");
    let breaker = Breaker::builder("noisy").registry(registry).build()?;
    breaker.isolate();
    for _ in 0..=STREAM_BUFFER {
        let _ = breaker.try_admit();
    }
    events.next().await;
    Ok(events)
}

async fn slowly() -> Result<(), BoxError> {
    tokio::time::sleep(Duration::from_millis(2)).await;
    Ok(())
}

async fn well() -> Result<(), BoxError> {
    Ok(())
}

fn failed() -> Result<(), BoxError> {
    Err(BoxError::from("down"))
}
