//! A service with policies, calls that go through them, and a console.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis::{
    BoxError, Breaker, Bulkhead, LoadShed, Observer, Pipeline, RateLimit, Registry, RetryPolicy,
};
use portcullis_config::{Format, Live, Settings};
use portcullis_console::{Console, Server};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

/// What changes need.
pub(crate) const SECRET: &str = "0123456789abcdef-ops";
/// What a browser would run if the page did not show it as text.
pub(crate) const SCRIPT: &str = "<script>window.pwned=1</script>";

/// Settings that two policies of a shop follow.
const SETTINGS: &str = "
[bulkhead.db]
max_in_flight = 10
[breaker.inventory]
consecutive_failures = 3
";

/// Settings that are read and written.
pub(crate) type Follows = Arc<Mutex<Live>>;

/// A service with a few policies.
pub(crate) struct Shop {
    pub(crate) registry: Registry,
    pub(crate) inventory: Breaker,
    pub(crate) script: Breaker,
    pub(crate) address: SocketAddr,
    settings: Option<Follows>,
    server: Option<Server>,
    _others: Vec<Breaker>,
}

impl Shop {
    /// That anybody on this machine may look at.
    pub(crate) async fn start() -> Self {
        Self::with(0, true).await
    }

    /// With so many breakers more.
    pub(crate) async fn with(others: usize, open: bool) -> Self {
        Self::new(others, open, false).await
    }

    /// With settings that can be seen and changed.
    pub(crate) async fn with_settings() -> Self {
        Self::new(0, true, true).await
    }

    async fn new(others: usize, open: bool, settings: bool) -> Self {
        let registry = Registry::new();
        let breaker = |name: String| {
            Breaker::builder(name).consecutive_failures(3).registry(&registry).build().unwrap()
        };
        let inventory = breaker("inventory".into());
        let script = breaker(SCRIPT.into());
        let others = (0..others).map(|number| breaker(format!("dependency {number}"))).collect();
        let settings = settings.then(|| follow(&registry));
        let server = console(&registry, open, settings.as_ref(), "127.0.0.1:0".parse().unwrap()).await;
        let address = server.address();
        Self { registry, inventory, script, address, settings, server: Some(server), _others: others }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The console ends, and with it each connection.
    pub(crate) async fn stop(&mut self) {
        self.server.take().unwrap().shutdown().await;
    }

    /// Another one begins in its place.
    pub(crate) async fn start_again(&mut self) {
        let settings = self.settings.as_ref();
        self.server = Some(console(&self.registry, true, settings, self.address).await);
    }

    /// The settings that its policies follow.
    pub(crate) fn settings(&self) -> &Follows {
        self.settings.as_ref().unwrap()
    }
}

/// A console on this address, or on any port.
pub(crate) async fn console(
    registry: &Registry,
    open: bool,
    settings: Option<&Follows>,
    address: SocketAddr,
) -> Server {
    let console = Console::builder(registry).service("shop").token("ops", SECRET).open_on_loopback(open);
    let console = settings.cloned().into_iter().fold(console, |console, live| console.shared_config(live));
    console.build().unwrap().serve(address).await.unwrap()
}

/// Settings that a breaker and a bulkhead of this registry follow.
pub(crate) fn follow(registry: &Registry) -> Follows {
    let mut live = Live::new(Settings::builder().text("shop.toml", Format::Toml, SETTINGS)).unwrap();
    live.follow(&registry.breaker("inventory")).unwrap();
    live.follow(&registry.bulkhead("db")).unwrap();
    Arc::new(Mutex::new(live))
}

/// Calls that come without end, of which some fail: something to look at.
pub(crate) struct Traffic {
    failing: Arc<AtomicU32>,
    _calls: JoinSet<()>,
}

/// Dependencies, how often they are called in a second, and how long they take, in milliseconds.
const DEPENDENCIES: [(&str, u32, u64); 6] = [
    ("payments", 40, 35),
    ("search", 90, 12),
    ("recommendations", 25, 60),
    ("mail", 8, 80),
    ("pricing", 60, 5),
    ("stock", 15, 45),
];
/// The one that can fail.
const FRAIL: &str = "payments";

impl Traffic {
    pub(crate) fn start(registry: &Registry) -> Self {
        let failing = Arc::new(AtomicU32::new(0));
        let mut calls = JoinSet::new();
        for (name, rate, takes) in DEPENDENCIES {
            let bad = if name == FRAIL { failing.clone() } else { Arc::default() };
            calls.spawn(call(stack(registry, name, takes, bad), rate));
        }
        calls.spawn(call(front(registry), 200));
        Self { failing, _calls: calls }
    }

    /// So many of a hundred calls of one dependency fail from now on.
    pub(crate) fn fail(&self, percent: u32) {
        self.failing.store(percent, Relaxed);
    }
}

/// What visitors come through; it is called a little more often than it lets in.
fn front(
    registry: &Registry,
) -> impl Service<u32, Response = (), Error = BoxError, Future: Send> + Clone + Send + 'static {
    let visitors = RateLimit::builder("visitors").rate(150, Duration::from_secs(1)).burst(20);
    let pipeline = Pipeline::server("front")
        .registry(registry)
        .observe(observer(registry, "front"))
        .deadline(Duration::from_secs(2))
        .load_shed(LoadShed::builder("front").registry(registry).build().unwrap())
        .rate_limit(visitors.registry(registry).build().unwrap())
        .bulkhead(Bulkhead::builder("front").max_in_flight(60).registry(registry).build().unwrap())
        .build()
        .unwrap();
    ServiceBuilder::new().layer(pipeline).service(service_fn(async |number: u32| {
        tokio::time::sleep(Duration::from_millis(u64::from(100 + number % 40))).await;
        Ok::<(), BoxError>(())
    }))
}

fn observer(registry: &Registry, name: &'static str) -> Observer {
    Observer::builder(name).durations(true).registry(registry).build().unwrap()
}

/// A dependency behind a pipeline.
fn stack(
    registry: &Registry,
    name: &'static str,
    takes: u64,
    failing: Arc<AtomicU32>,
) -> impl Service<u32, Response = (), Error = BoxError, Future: Send> + Clone + Send + 'static {
    let pipeline = Pipeline::client(name)
        .registry(registry)
        .observe(observer(registry, name))
        .deadline(Duration::from_secs(2))
        .retry(RetryPolicy::builder(name).registry(registry).build().unwrap())
        .breaker(Breaker::builder(name).failure_ratio(0.5).registry(registry).build().unwrap())
        .bulkhead(Bulkhead::builder(name).max_in_flight(20).registry(registry).build().unwrap())
        .attempt_timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    ServiceBuilder::new().layer(pipeline).service(service_fn(move |number: u32| {
        let fails = number.wrapping_mul(2_654_435_761) % 100 < failing.load(Relaxed);
        async move {
            tokio::time::sleep(Duration::from_millis(takes + u64::from(number % 7))).await;
            if fails { Err(BoxError::from("the dependency is down")) } else { Ok(()) }
        }
    }))
}

async fn call<S>(service: S, rate: u32)
where
    S: Service<u32, Response = (), Error = BoxError, Future: Send> + Clone + Send + 'static,
{
    let mut ticks = interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut flying = JoinSet::new();
    for number in 0.. {
        ticks.tick().await;
        while flying.try_join_next().is_some() {}
        // How a call ends is for its policies to know.
        flying.spawn(service.clone().oneshot(number));
    }
}
