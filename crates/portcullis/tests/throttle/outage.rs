//! An outage, and what comes after it, in a stack.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis::{FailureKind, Throttle, ThrottleLayer};
use tokio::time::{Instant, sleep, sleep_until};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use super::support::{Counter, Error, SECOND, builder, ms};

/// A dependency that takes so many calls in a second, and refuses the others.
#[derive(Clone, Default)]
struct Dependency {
    takes: Arc<AtomicU32>,
    taken: Arc<AtomicU32>,
    asked: Counter,
}

impl Dependency {
    async fn answer(self) -> Result<(), Error> {
        self.asked.bump();
        sleep(ms(5)).await;
        let taken = self.taken.fetch_add(1, Relaxed);
        let error = Error::Of(FailureKind::ResourceExhausted);
        if taken < self.takes.load(Relaxed) { Ok(()) } else { Err(error) }
    }
}

struct Client<S> {
    service: S,
    dependency: Dependency,
    throttle: Throttle,
}

fn client(
    window: Duration,
) -> Client<impl Service<(), Response = (), Error = Error, Future: Send> + Clone + Send + 'static> {
    let throttle = builder().window(window).build().unwrap();
    let dependency = Dependency::default();
    let inner = dependency.clone();
    let service = ServiceBuilder::new()
        .layer(ThrottleLayer::new(throttle.clone()).typed())
        .service(service_fn(move |()| inner.clone().answer()));
    Client { service, dependency, throttle }
}

impl<S> Client<S>
where
    S: Service<(), Response = (), Error = Error, Future: Send> + Clone + Send + 'static,
{
    /// A hundred calls in a second, of which the dependency takes so many; how many it was asked for.
    async fn second(&self, takes: u32) -> u64 {
        self.dependency.takes.store(takes, Relaxed);
        self.dependency.taken.store(0, Relaxed);
        let before = self.dependency.asked.get();
        let start = Instant::now();
        for n in 1..=100 {
            let _ = self.service.clone().oneshot(()).await;
            sleep_until(start + ms(10 * n)).await;
        }
        self.dependency.asked.get() - before
    }

    async fn seconds(&self, n: u32, takes: u32) -> u64 {
        let mut asked = 0;
        for _ in 0..n {
            asked += self.second(takes).await;
        }
        asked
    }
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_is_up_is_asked_for_everything() {
    let client = client(10 * SECOND);
    assert_eq!(client.seconds(30, 1000).await, 3000);
    assert_eq!(client.throttle.status().rejected, 0);
}

/// Of a hundred it takes ten, and is asked for twenty: as many again as it takes.
#[tokio::test(start_paused = true)]
async fn a_dependency_at_its_limit_is_asked_for_twice_that() {
    let client = client(10 * SECOND);
    client.seconds(60, 10).await;
    let asked = client.seconds(60, 10).await;
    assert!((1_050..1_350).contains(&asked), "{asked} in a minute, of 6000");
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_it_one_in_ten_and_ends_in_about_two_windows() {
    let client = client(10 * SECOND);
    client.seconds(20, 1000).await;
    client.seconds(20, 0).await;
    let asked = client.seconds(10, 0).await;
    assert!((70..130).contains(&asked), "{asked} of 1000");

    let mut recovery = Vec::new();
    for _ in 0..23 {
        recovery.push(client.second(1000).await);
    }
    println!("asked in each second after it is up: {recovery:?}");
    assert_eq!(recovery[22], 100, "{recovery:?}");
    assert_eq!(client.throttle.status().chance, 0.0);
}

/// T41's other half: nobody has called for the length of the window.
#[tokio::test(start_paused = true)]
async fn after_a_pause_all_goes_through() {
    let client = client(10 * SECOND);
    client.seconds(20, 0).await;
    sleep(11 * SECOND).await;
    assert_eq!(client.second(1000).await, 100);
}
