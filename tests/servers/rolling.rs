//! A rolling restart: servers end and come again in turn, under load, and no call fails.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, extract::State, routing::get};
use bytes::Bytes;
use echo_proto::{echo_client::EchoClient, echo_server::EchoServer, service::EchoService};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::{
    Balance, BoxError, Drain, DrainLayer, Endpoints, Outliers, Registry, RetryLayer, RetryPolicy,
    drain::Report,
};
use portcullis_tests::{
    grpc::{channel, incoming, say},
    net::soon,
};
use tokio::{
    net::{TcpListener, TcpSocket},
    task::{JoinHandle, JoinSet},
};
use tower::{ServiceBuilder, ServiceExt};

/// How often each server is restarted.
const ROUNDS: usize = 5;
/// Calls that are under way at any time.
const CALLERS: usize = 8;
/// Calls that a server has served before the next is restarted; so there is load, however slow the machine is.
const SERVED: u64 = 100;
/// How long a call takes, so that some are always in flight.
const WORK: Duration = Duration::from_millis(5);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Axum,
    Tonic,
}

/// A server of a fleet: always at one address, and often another process, if it were one.
struct Instance {
    kind: Kind,
    address: SocketAddr,
    running: Option<(Drain, JoinHandle<Report>)>,
    /// Calls it has served since it was started.
    served: Arc<AtomicU64>,
}

impl Instance {
    fn start(kind: Kind) -> Self {
        let mut instance = Self {
            kind,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            running: None,
            served: Arc::default(),
        };
        instance.run();
        instance
    }

    fn run(&mut self) {
        let listener = listen(self.address);
        self.address = listener.local_addr().unwrap();
        self.served = Arc::default();
        let drain = Drain::builder("rolling").announce(ms(50)).grace(ms(10_000)).registry(&Registry::new());
        let drain = drain.build().unwrap();
        let (served, server) = (self.served.clone(), drain.clone());
        let task = match self.kind {
            Kind::Axum => tokio::spawn(async move {
                let router = Router::new().route("/stock/{item}", get(stock)).with_state(served);
                let router = router.layer(DrainLayer::new(server.clone()).http_server());
                let host = axum::serve(listener, router).with_graceful_shutdown(server.signal());
                server.serve(host).await.unwrap()
            }),
            Kind::Tonic => tokio::spawn(async move {
                let count = tower::util::MapRequestLayer::new(move |request: Request<_>| {
                    served.fetch_add(1, SeqCst);
                    request
                });
                let host = tonic::transport::Server::builder()
                    .layer(DrainLayer::new(server.clone()).grpc())
                    .layer(count)
                    .add_service(EchoServer::new(EchoService::default()))
                    .serve_with_incoming_shutdown(incoming(listener), server.signal());
                server.serve(host).await.unwrap()
            }),
        };
        self.running = Some((drain, task));
    }

    /// Ends the server as its orchestrator would, and starts it anew at the same address.
    async fn restart(&mut self) {
        let (drain, task) = self.running.take().unwrap();
        drain.begin();
        let report = soon(task).await.unwrap();
        assert!(report.is_clean(), "{:?}: {report}", self.kind);
        self.run();
    }

    /// Waits until the clients have come back to it.
    async fn is_back(&self) {
        while self.served.load(SeqCst) < SERVED {
            tokio::time::sleep(ms(1)).await;
        }
    }
}

fn listen(address: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    // What is left of connections that were closed here must not stand in the way.
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket.listen(1024).unwrap()
}

async fn stock(State(served): State<Arc<AtomicU64>>) -> &'static str {
    served.fetch_add(1, SeqCst);
    tokio::time::sleep(WORK).await;
    "12 in stock"
}

/// What a user has in front of a fleet: two attempts more, each elsewhere than the last.
fn retry() -> RetryPolicy {
    RetryPolicy::builder("rolling").max_attempts(3).registry(&Registry::new()).build().unwrap()
}

/// A server that is gone is left alone for a moment, and not for longer than it takes to come back.
fn endpoints<S: Clone>() -> Endpoints<S> {
    let outliers = Outliers::builder("rolling").ejection(ms(100), ms(200)).ejection_jitter(Duration::ZERO);
    let outliers = outliers.max_ejected_share(0.5).registry(&Registry::new());
    Endpoints::new(outliers.build().unwrap())
}

/// Calls again and again, until it is told to stop: how many calls were made, and how some failed.
struct Load {
    stop: Arc<AtomicBool>,
    callers: JoinSet<(u64, Vec<String>)>,
}

impl Load {
    fn start<F, Fut>(call: F) -> Self
    where
        F: Fn() -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send,
    {
        let (stop, mut callers) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        for _ in 0..CALLERS {
            let (call, stop) = (call.clone(), stop.clone());
            callers.spawn(async move {
                let (mut calls, mut failed) = (0, Vec::new());
                while !stop.load(SeqCst) {
                    calls += 1;
                    failed.extend(call().await.err().map(|error| format!("{error:?}")));
                }
                (calls, failed)
            });
        }
        Self { stop, callers }
    }

    async fn end(self) -> (u64, Vec<String>) {
        self.stop.store(true, SeqCst);
        let ends = soon(self.callers.join_all()).await;
        let (calls, failed): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
        (calls.into_iter().sum(), failed.concat())
    }
}

async fn roll(instances: &mut [Instance]) {
    for _ in 0..ROUNDS {
        for instance in &mut *instances {
            soon(instance.is_back()).await;
            instance.restart().await;
            soon(instance.is_back()).await;
        }
    }
}

fn http_load(instances: &[Instance]) -> Load {
    let endpoints = endpoints();
    for instance in instances {
        let to = format!("http://{}", instance.address);
        let client = Client::builder(TokioExecutor::new()).build_http();
        let service = ServiceBuilder::new()
            .map_request({
                let to = to.clone();
                move |mut request: Request<_>| {
                    *request.uri_mut() = format!("{to}{}", request.uri().path()).parse().unwrap();
                    request
                }
            })
            .service(client);
        endpoints.insert(to, service);
    }
    let fleet = ServiceBuilder::new()
        .layer(RetryLayer::new(retry()).http_client().avoid_tried())
        .service(Balance::new(endpoints).http_client());
    Load::start(move || {
        let fleet = fleet.clone();
        async move {
            let request = Request::get("/stock/tea").body(Full::<Bytes>::default())?;
            let (head, body) = fleet.oneshot(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            match (head.status, &*body) {
                (StatusCode::OK, b"12 in stock") => Ok(()),
                (status, body) => Err(format!("{status}: {}", String::from_utf8_lossy(body)).into()),
            }
        }
    })
}

fn grpc_load(instances: &[Instance]) -> Load {
    let endpoints = endpoints();
    for instance in instances {
        let url = format!("http://{}", instance.address);
        endpoints.insert(url.clone(), channel(&url));
    }
    let retry = RetryLayer::new(retry()).grpc().rebody(tonic::body::Body::new).avoid_tried();
    let fleet = ServiceBuilder::new()
        .layer(retry.idempotent_if(|_: &Request<tonic::body::Body>| true))
        .service(Balance::new(endpoints).grpc());
    Load::start(move || {
        let mut client = EchoClient::new(fleet.clone());
        async move {
            let millis = WORK.as_millis() as u32;
            let reply = client.unary(say(millis)).await?.into_inner();
            if reply.message == "hello" { Ok(()) } else { Err(format!("{reply:?}").into()) }
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_axum_and_two_tonic_servers_are_restarted_and_no_call_fails() {
    let mut axum = [Kind::Axum, Kind::Axum].map(Instance::start);
    let mut tonic = [Kind::Tonic, Kind::Tonic].map(Instance::start);
    let (http, grpc) = (http_load(&axum), grpc_load(&tonic));

    tokio::join!(roll(&mut axum), roll(&mut tonic));

    for (load, what) in [(http, "http"), (grpc, "grpc")] {
        let (calls, failed) = load.end().await;
        assert!(failed.is_empty(), "{what}: {} of {calls} failed, such as {}", failed.len(), failed[0]);
        let least = SERVED * (2 * ROUNDS) as u64;
        assert!(calls >= least, "{what}: {calls} calls are no load");
    }
}
