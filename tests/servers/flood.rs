//! More questions about health than anybody asks, over sockets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::Router;
use portcullis::{BoxError, Health, HealthLayer, HealthMonitor, Registry, check::Ask};
use portcullis_tests::net::{Server, soon};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};

const CONNECTIONS: usize = 4;
/// On each connection, one behind the other without waiting for answers.
const REQUESTS: usize = 2500;

fn counted(runs: &Arc<AtomicU64>) -> impl Ask + use<> {
    let runs = runs.clone();
    move || {
        runs.fetch_add(1, SeqCst);
        std::future::ready(Ok::<_, BoxError>(()))
    }
}

/// How many of many questions, asked at once, were answered well.
async fn flood(address: String) -> usize {
    let ask = "GET /health HTTP/1.1\r\nhost: shop\r\n\r\n";
    let last = "GET /health HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";
    let all = ask.repeat(REQUESTS - 1) + last;
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let asks = async {
        write.write_all(all.as_bytes()).await.unwrap();
    };
    let mut told = Vec::new();
    let (_, answers) = tokio::join!(asks, read.read_to_end(&mut told));
    answers.unwrap();
    String::from_utf8(told).unwrap().matches("HTTP/1.1 200 OK\r\n").count()
}

/// The bar: ten thousand requests a second on loopback cost no check more than its interval says. How many a second
/// there are is up to the machine and the build; it is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_questions_at_a_time_run_no_check_more_often() {
    let monitor = HealthMonitor::new(&Registry::new());
    let (every, dear) = (Arc::default(), Arc::default());
    let router = Router::new().layer(HealthLayer::new(Health::of(&monitor)));
    let server = Server::axum(router).await;
    let address = server.url("").replace("http://", "");
    let began = Instant::now();
    monitor.check("every").interval(Duration::from_secs(1)).jitter(0.0).spawn(counted(&every)).unwrap();
    monitor.check("dear").on_demand().spawn(counted(&dear)).unwrap();

    let mut answers = 0;
    while began.elapsed() < Duration::from_secs(3) {
        let floods: JoinSet<_> = (0..CONNECTIONS).map(|_| flood(address.clone())).collect();
        let answered: usize = soon(floods.join_all()).await.into_iter().sum();
        assert_eq!(answered, CONNECTIONS * REQUESTS);
        answers += answered;
    }
    let (runs, dear) = (every.load(SeqCst), dear.load(SeqCst));
    let took = began.elapsed();
    println!("{:.0} questions a second", answers as f64 / took.as_secs_f64());
    assert!((1..=took.as_secs() + 1).contains(&runs), "{runs} runs in {took:?}");
    assert!((1..=took.as_secs() / 5 + 1).contains(&dear), "{dear} runs in {took:?}");
}
