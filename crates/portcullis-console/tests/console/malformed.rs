//! Requests nobody would write by hand: the console answers or closes, and goes on.

use std::sync::Arc;

use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Semaphore, time::timeout};

use crate::support::{PATIENCE, SECRET, Shop};

/// Numbers that look like chance, the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

const BEGINNINGS: [&str; 12] = [
    "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "GET /api/policies?history=1 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "POST /api/policies/inventory/isolate HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999999999999\r\n\r\n",
    "POST /api/stop HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
    "PUT /api/config HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET http://evil.example/ HTTP/1.1\r\n\r\n",
    "GET /api/events HTTP/1.0\r\nlast-event-id: -\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "CONNECT localhost:1 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}",
    "GET /api/policies/%ff%00/../x HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \r\n\r\n",
];

/// One of these, with some bytes changed, left out or said twice.
fn malformed(numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = BEGINNINGS[numbers.next(BEGINNINGS.len())].as_bytes().to_vec();
    for _ in 0..=numbers.next(4) {
        let at = numbers.next(bytes.len());
        match numbers.next(4) {
            0 => bytes[at] = numbers.next(256) as u8,
            1 => drop(bytes.drain(at..)),
            2 => bytes.extend_from_within(at..),
            _ => bytes.insert(at, numbers.next(256) as u8),
        }
        if bytes.is_empty() {
            bytes.push(b'\n');
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_malformed_requests_leave_it_answering() {
    let shop = Shop::with(|console| console.token("ops", SECRET).connections(600)).await;
    let (room, address) = (Arc::new(Semaphore::new(200)), shop.address());
    let mut numbers = Numbers(7);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10_000 {
        let (request, permit) = (malformed(&mut numbers), room.clone().acquire_owned().await.unwrap());
        tasks.spawn(async move {
            let mut socket = TcpStream::connect(address).await.unwrap();
            // Closed by the other side in the middle of it, or not; and left without waiting for an answer.
            let _ = socket.write_all(&request).await;
            let _ = socket.shutdown().await;
            let mut buffer = [0; 512];
            let _ = tokio::io::AsyncReadExt::read(&mut socket, &mut buffer).await;
            drop(permit);
        });
    }
    let all = timeout(PATIENCE * 5, async { while tasks.join_next().await.is_some() {} }).await;
    assert!(all.is_ok(), "each is answered or closed");
    let took = shop.usually_answers().await;
    println!("after 10,000 malformed requests it answers twice in {took:?}");
    assert!(took.as_secs() < 10, "{took:?}");
    assert!(!shop.breaker.is_refusing(), "and nothing was changed");
}
