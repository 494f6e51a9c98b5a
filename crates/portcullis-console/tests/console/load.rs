//! Slow clients, and very many.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{Instant, timeout},
};

use crate::support::{PATIENCE, SECRET, Shop, read, status};

const HEAD: &str =
    "GET /api/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer 0123456789abcdef-ops\r\n\r\n";

/// Room for a thousand readers takes more files than some systems begin with.
fn can_open(files: u64) -> bool {
    rlimit::increase_nofile_limit(files).is_ok_and(|most| most >= files)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_idle_streams_leave_it_answering() {
    assert!(can_open(4096), "this system does not let a program have 4,096 files");
    let limits = |console: portcullis_console::ConsoleBuilder| {
        console.token("ops", SECRET).streams(1000).connections(1100).requests_per_second(10_000)
    };
    let shop = Shop::with(limits).await;
    let mut streams = Vec::new();
    for _ in 0..1000 {
        let mut socket = TcpStream::connect(shop.address()).await.unwrap();
        socket.write_all(HEAD.as_bytes()).await.unwrap();
        let mut buffer = [0; 1024];
        let length = timeout(PATIENCE, socket.read(&mut buffer)).await.unwrap().unwrap();
        assert_eq!(status(&String::from_utf8_lossy(&buffer[..length])), 200);
        streams.push(socket);
    }
    let took = shop.usually_answers().await;
    println!("with 1,000 idle streams it answers twice in {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    // And an event reaches all of them.
    let start = Instant::now();
    shop.breaker.isolate();
    for socket in &mut streams {
        let mut text = String::new();
        while !text.contains("isolated") {
            let mut buffer = [0; 4096];
            let length = timeout(PATIENCE, socket.read(&mut buffer)).await.unwrap().unwrap();
            assert!(length > 0, "it is cut");
            text.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    }
    println!("an event reaches all of them within {:?}", start.elapsed());
}

/// The page needs no token, and whoever asks for it a thousand times takes nothing from who has one.
#[tokio::test]
async fn a_flood_of_strangers_shuts_nobody_out() {
    let shop = Shop::with(|console| console.token("ops", SECRET).requests_per_second(5)).await;
    let mut last = 200;
    for _ in 0..1000 {
        last = shop.request(reqwest::Method::GET, "index.html").send().await.unwrap().status().as_u16();
        if last != 200 {
            break;
        }
    }
    assert_eq!(last, 429, "the flood is bounded");
    assert_eq!(shop.get("api/policies").await.status(), 200);
    assert_eq!(shop.act("isolate", "a look").await.status(), 200);
}

#[tokio::test]
async fn slow_clients_are_cut_and_others_answered() {
    let shop = Shop::new().await;
    let mut slow = Vec::new();
    for beginning in ["", "G", "GET /api/policies HTTP/1.1\r\nhost: localhost\r\n", &HEAD[..HEAD.len() - 2]] {
        for _ in 0..25 {
            let mut socket = TcpStream::connect(shop.address()).await.unwrap();
            socket.write_all(beginning.as_bytes()).await.unwrap();
            slow.push(socket);
        }
    }
    let took = shop.usually_answers().await;
    println!("with 100 slow clients it answers twice in {took:?}");
    assert!(took < Duration::from_secs(8), "{took:?}");
    for socket in &mut slow {
        read(socket).await;
    }
}

/// A body that never comes.
#[tokio::test]
async fn who_sends_half_a_body_is_cut() {
    let shop = Shop::new().await;
    let mut socket = TcpStream::connect(shop.address()).await.unwrap();
    let head = format!(
        "POST /api/stop HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {SECRET}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n{{"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let answer = read(&mut socket).await;
    assert_eq!(status(&answer), 504, "{answer}");
    assert_eq!(shop.registry.stopped(), None);
}

/// Who asks and never reads holds its connection for a while, and no longer.
#[tokio::test]
async fn who_does_not_read_is_cut() {
    let shop =
        Shop::with(|console| console.token("ops", SECRET).connections(1).requests_per_second(10_000)).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1024).unwrap();
    let mut socket = socket.connect(shop.address()).await.unwrap();
    let get = HEAD.replace("/api/events", "/api/policies?history=1");
    let asked =
        timeout(Duration::from_secs(3), async { while socket.write_all(get.as_bytes()).await.is_ok() {} });
    let _ = asked.await;
    // It has the only connection there may be: another is answered when it was cut.
    let start = Instant::now();
    loop {
        let answer = shop.request(reqwest::Method::GET, "livez").send().await;
        if answer.is_ok() {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "it still holds its connection");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("cut after {:?}", start.elapsed());
}

#[tokio::test]
async fn connections_are_capped() {
    let shop = Shop::with(|console| console.token("ops", SECRET).connections(2)).await;
    let mut first = TcpStream::connect(shop.address()).await.unwrap();
    let mut second = TcpStream::connect(shop.address()).await.unwrap();
    for socket in [&mut first, &mut second] {
        socket.write_all(HEAD.as_bytes()).await.unwrap();
        let mut buffer = [0; 64];
        assert!(timeout(PATIENCE, socket.read(&mut buffer)).await.unwrap().unwrap() > 0);
    }
    let mut third = TcpStream::connect(shop.address()).await.unwrap();
    let _ = third.write_all(HEAD.as_bytes()).await;
    let mut buffer = [0; 64];
    let read = timeout(PATIENCE, third.read(&mut buffer)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "closed at once");
}
