//! Health while nothing else works, over real sockets: what an orchestrator would kill a pod by.

use std::time::Duration;

use axum::{Router, routing::get};
use portcullis::{
    BoxError, Bulkhead, BulkheadLayer, Health, HealthLayer, HealthMonitor, Registry, check::Blocking,
};
use portcullis_tests::net::{Gate, Server, client, soon};
use tokio::{task::JoinHandle, time::Instant};

use crate::common::ms;

/// A server whose bulkheads are all full: one around everything, one around `/pay` alone.
struct Full {
    server: Server,
    monitor: HealthMonitor,
    gate: Gate,
    calls: Vec<JoinHandle<u16>>,
}

async fn full() -> Full {
    let registry = Registry::new();
    let monitor = HealthMonitor::new(&registry);
    let bulkhead = |name: &'static str, most: u32| {
        let bulkhead = Bulkhead::builder(name).max_in_flight(most).registry(&registry).build().unwrap();
        BulkheadLayer::new(bulkhead).http_server()
    };
    let gate = Gate::default();
    let waits = {
        let gate = gate.clone();
        async move || gate.pass().await
    };
    let app = Router::new()
        .route("/pay", get(waits.clone()).layer(bulkhead("pay", 1)))
        .route("/buy", get(waits))
        .layer(bulkhead("all", 3))
        .layer(HealthLayer::new(Health::of(&monitor)));
    let server = Server::axum(app).await;
    let calls = ["/pay", "/buy", "/buy"].map(|path| {
        let call = client().get(server.url(path)).send();
        tokio::spawn(async move { call.await.unwrap().status().as_u16() })
    });
    soon(async {
        while gate.inside() < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    Full { server, monitor, gate, calls: calls.into() }
}

impl Full {
    async fn status(&self, path: &str) -> u16 {
        soon(client().get(self.server.url(path)).send()).await.unwrap().status().as_u16()
    }
}

/// A limit on the path of the health probes: pods are killed because they are busy.
#[tokio::test]
async fn t44_health_answers_over_sockets_while_every_bulkhead_is_full() {
    let full = full().await;
    for path in ["/pay", "/buy", "/nowhere"] {
        assert_eq!(full.status(path).await, 503, "{path}");
    }
    for path in ["/livez", "/readyz", "/health", "/health?format=text"] {
        assert_eq!(full.status(path).await, 200, "{path}: busy is not ill");
    }
    full.gate.open();
    for call in full.calls {
        assert_eq!(soon(call).await.unwrap(), 200);
    }
}

/// The same while checks hang, block, panic and fail: the process lives, whatever it depends on.
#[tokio::test]
async fn t44_liveness_depends_on_no_check_and_no_stop() {
    let full = full().await;
    let (block, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = std::sync::Mutex::new(blocked);
    let add = |name: &'static str| full.monitor.check(name).critical(true).timeout(ms(50));
    add("hangs").spawn(|| async { std::future::pending::<Result<(), BoxError>>().await }).unwrap();
    add("panics").spawn(|| async { panic!("a bug") as Result<(), BoxError> }).unwrap();
    add("fails").spawn(|| async { Err::<(), _>(BoxError::from("gone")) }).unwrap();
    add("blocks").spawn(Blocking::new(move || blocked.lock().unwrap().recv())).unwrap();
    soon(full.monitor.run_now()).await;
    full.monitor.registry().stop_all("the region is gone");

    let mut took = Vec::new();
    let asking = client();
    for _ in 0..200 {
        let began = Instant::now();
        let answer = soon(asking.get(full.server.url("/livez")).send()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(answer.text().await.unwrap(), "live");
        took.push(began.elapsed());
    }
    took.sort_unstable();
    // Client and socket included, in a debug build, on a machine that does other things too.
    assert!(took[100] < Duration::from_millis(20), "{:?}", took[100]);

    for path in ["/readyz", "/health"] {
        assert_eq!(full.status(path).await, 503, "{path}: that is for who sends traffic");
    }
    drop(block);
    full.gate.open();
    for call in full.calls {
        assert_eq!(soon(call).await.unwrap(), 200, "what was in flight is finished");
    }
}
