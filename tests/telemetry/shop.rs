//! The service that is watched: the example `axum-server`, whose handlers can be told to fail.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{
    Router,
    http::StatusCode,
    routing::{any, get},
};
use axum_server::{Policies, protect};
use portcullis::{Breaker, Registry, metrics::Prometheus};
use portcullis_tests::net::{Server, client};
use tokio::task::JoinSet;

/// How long the breaker stays open: some scrapes long, so that each state is seen.
const OPEN_FOR: Duration = Duration::from_secs(4);

/// The service, with callers that never rest. Gone when dropped.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) server: Server,
    pub(crate) breaker: Breaker,
    broken: Arc<AtomicBool>,
    _callers: JoinSet<()>,
}

impl Shop {
    pub(crate) async fn start(registry: &Registry, prometheus: Prometheus) -> Self {
        let mut policies = Policies::new("shop", registry).unwrap();
        policies.breaker = Breaker::builder("shop")
            .consecutive_failures(5)
            .open_for_exactly(OPEN_FOR)
            .registry(registry)
            .build()
            .unwrap();
        let breaker = policies.breaker.clone();
        let broken = Arc::<AtomicBool>::default();
        let fails = broken.clone();
        let stock = any(async move || match fails.load(SeqCst) {
            true => StatusCode::SERVICE_UNAVAILABLE,
            false => StatusCode::OK,
        });
        let metrics = get(async move || prometheus.response());
        let routes = Router::new().route("/stock/{item}", stock);
        let server = Server::axum(protect(routes, &policies).route("/metrics", metrics)).await;
        let mut callers = JoinSet::new();
        callers.spawn(call(server.url("/stock/tea")));
        Self { server, breaker, broken, _callers: callers }
    }

    /// From now on, everything fails; or nothing does any more.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.broken.store(broken, SeqCst);
    }

    /// Where it listens, without the scheme.
    pub(crate) fn address(&self) -> String {
        self.server.url("").replace("http://", "")
    }
}

async fn call(url: String) {
    let client = client();
    loop {
        // What becomes of it is what the metrics are there to say.
        let _ = client.get(&url).send().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
