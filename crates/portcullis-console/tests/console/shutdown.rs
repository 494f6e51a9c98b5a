//! What is left of a console that is gone: nothing.

use portcullis::{Breaker, Registry};
use portcullis_console::Console;
use tokio::{runtime::Handle, time::Instant};

use crate::support::{PATIENCE, Shop};

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn the_last_handle_ends_what_runs() {
    let registry = Registry::new();
    let before = tasks();
    let console = Console::new(&registry);
    let router = console.clone().router();
    assert_eq!(tasks(), before + 1, "it samples");
    drop(console);
    tokio::task::yield_now().await;
    assert_eq!(tasks(), before + 1, "the router is still there");
    drop(router);
    until("the sampler ends", || tasks() == before).await;
    // And nobody listens any more.
    let breaker = Breaker::builder("x").registry(&registry).build().unwrap();
    breaker.isolate();
    assert!(format!("{:?}", registry.events()).contains("audience: 0"), "{:?}", registry.events());
}

#[tokio::test]
async fn a_server_that_is_dropped_leaves_nothing() {
    let before = tasks();
    let shop = Shop::new().await;
    shop.answers().await;
    let address = shop.address();
    drop(shop);
    until("all tasks end", || tasks() == before).await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[test]
fn outside_of_a_runtime_it_is_made_and_looks_later() {
    let registry = Registry::new();
    let console = Console::new(&registry);
    let _router = console.router();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let before = tasks();
        let server = console.serve("127.0.0.1:0").await.unwrap();
        assert_eq!(reqwest::get(server.url() + "api/policies").await.unwrap().status(), 200);
        assert!(tasks() > before);
        server.shutdown().await;
    });
}
