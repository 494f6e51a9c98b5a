//! A group with one endpoint that fails and one that is slow, beside the same group without them.

use std::{sync::Arc, time::Duration};

use portcullis::{
    Balance, BoxError, Endpoints,
    balance::{DEFAULT_DECAY, Measure},
};
use tokio::{task::JoinSet, time::Instant};
use tower::{Service, ServiceExt, service_fn, util::BoxCloneService};

use super::support::{ms, outliers};

const CALLS: u64 = 30_000;

#[derive(Clone, Copy)]
enum Kind {
    Well,
    Failing,
    Slow,
}

/// Any bits of a number (SplitMix64).
fn lot(number: u64) -> f64 {
    let number = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((number ^ number >> 31) >> 11) as f64 / (1u64 << 53) as f64
}

/// 5 ms, and an exponential tail with a mean of 5 ms; the same for the same call, wherever it goes.
fn latency(call: u64) -> Duration {
    Duration::from_secs_f64(0.005 - 0.005 * (1.0 - lot(call)).ln())
}

fn host(kind: Kind) -> BoxCloneService<u64, (), BoxError> {
    BoxCloneService::new(service_fn(move |call: u64| async move {
        match kind {
            Kind::Well => tokio::time::sleep(latency(call)).await,
            Kind::Slow => tokio::time::sleep(latency(call) * 20).await,
            Kind::Failing => {
                tokio::time::sleep(ms(1)).await;
                return Err("broken".into());
            }
        }
        Ok(())
    }))
}

/// Calls that come at random times, 500 in a second. How long each took, in order, and how many failed.
async fn run(kinds: &[Kind]) -> (Vec<Duration>, usize) {
    let measure = Measure::PeakEwma(DEFAULT_DECAY);
    let outliers = outliers().max_ejected_share(0.1).build().unwrap();
    let endpoints = Endpoints::measuring(outliers, measure).unwrap();
    for (at, kind) in kinds.iter().enumerate() {
        endpoints.insert(at.to_string(), host(*kind));
    }
    let balance = Arc::new(tokio::sync::Mutex::new(Balance::new(endpoints)));
    let mut tasks = JoinSet::new();
    for call in 0..CALLS {
        tokio::time::sleep(Duration::from_secs_f64(-(1.0 - lot(call ^ 0xabcd_0000)).ln() / 500.0)).await;
        let began = Instant::now();
        let future = balance.lock().await.ready().await.unwrap().call(call);
        tasks.spawn(async move { (future.await.is_ok(), began.elapsed()) });
    }
    let results = tasks.join_all().await;
    let failed = results.iter().filter(|(ok, _)| !ok).count();
    let mut took: Vec<_> = results.into_iter().map(|(_, took)| took).collect();
    took.sort();
    (took, failed)
}

fn p99(took: &[Duration]) -> Duration {
    took[took.len() * 99 / 100]
}

#[tokio::test(start_paused = true)]
async fn a_failing_and_a_slow_endpoint_cost_the_group_little() {
    let mut kinds = vec![Kind::Well; 10];
    let (without, none) = run(&kinds[..8]).await;
    kinds[3] = Kind::Failing;
    kinds[7] = Kind::Slow;
    let (with, failed) = run(&kinds).await;
    println!("p99 {:?} without, {:?} with; {failed} of {CALLS} failed", p99(&without), p99(&with));
    assert_eq!(none, 0);
    assert!(p99(&with) < p99(&without).mul_f64(1.5), "{:?} {:?}", p99(&with), p99(&without));
    assert!(failed <= 30, "{failed}");
}
