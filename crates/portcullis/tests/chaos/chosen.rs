//! Which calls meet something.

use http::{Request, Response};
use portcullis::{BoxError, ChaosLayer, FailureKind};
use tower::{Layer, ServiceExt, service_fn};

use super::support::{chaos, well};

#[tokio::test]
async fn only_those_of_which_a_function_says_so() {
    let chaos = chaos().error(1.0, FailureKind::Internal).build().unwrap();
    let service = ChaosLayer::new(chaos).only_if(|n: &u32| n % 2 == 0).layer(well().0);
    for n in 0..10 {
        assert_eq!(service.clone().oneshot(n).await.is_err(), n % 2 == 0);
    }
}

#[tokio::test]
async fn the_same_keys_have_the_same_trouble() {
    let chaos = chaos().error(0.3, FailureKind::Internal).build().unwrap();
    let service = ChaosLayer::new(chaos).by_key(|n: &u32| n % 100).layer(well().0);
    let mut troubled = Vec::new();
    for n in 0..100 {
        let failed = service.clone().oneshot(n).await.is_err();
        assert_eq!(service.clone().oneshot(n + 100).await.is_err(), failed, "key {n}");
        troubled.push(failed);
    }
    let troubled = troubled.into_iter().filter(|failed| *failed).count();
    assert!((15..45).contains(&troubled), "{troubled} of 100 keys");
}

#[tokio::test]
async fn another_seed_lets_other_keys_have_it() {
    let mut troubled = Vec::new();
    for seed in [1, 1, 2] {
        let chaos = chaos().seed(seed).error(0.3, FailureKind::Internal).build().unwrap();
        let service = ChaosLayer::new(chaos).by_key(|n: &u32| *n).layer(well().0);
        let mut of_seed = Vec::new();
        for n in 0..100 {
            of_seed.push(service.clone().oneshot(n).await.is_err());
        }
        troubled.push(of_seed);
    }
    assert_eq!(troubled[0], troubled[1]);
    assert_ne!(troubled[0], troubled[2]);
}

/// It stands in for the switch, and not for the key.
#[tokio::test]
async fn a_header_leaves_a_key_its_trouble() {
    let chaos = chaos().error(0.5, FailureKind::Unavailable).enabled(false).build().unwrap();
    let inner = service_fn(|_: Request<u32>| async { Ok::<_, BoxError>(Response::new(())) });
    let with = |key: u32, on: bool| {
        let request = Request::builder().header("x-chaos", if on { "on" } else { "maybe" });
        request.body(key).unwrap()
    };
    let name = http::HeaderName::from_static("x-chaos");
    let key = |request: &Request<u32>| *request.body();
    let outside = ChaosLayer::new(chaos.clone()).by_key(key).header(name.clone()).layer(inner);
    let inside = ChaosLayer::new(chaos.clone()).header(name).by_key(key).layer(inner);
    let mut troubled = Vec::new();
    for n in 0..50 {
        let failed = outside.clone().oneshot(with(n, true)).await.is_err();
        for _ in 0..3 {
            assert_eq!(outside.clone().oneshot(with(n, true)).await.is_err(), failed, "key {n}");
            assert_eq!(inside.clone().oneshot(with(n, true)).await.is_err(), failed, "key {n}");
        }
        outside.clone().oneshot(with(n, false)).await.unwrap();
        troubled.push(failed);
    }
    assert!(troubled.contains(&true) && troubled.contains(&false));
    chaos.set_enabled(true);
    for (n, failed) in (0..).zip(troubled) {
        assert_eq!(inside.clone().oneshot(with(n, false)).await.is_err(), failed, "key {n}");
    }
}

#[tokio::test]
async fn a_header_goes_before_the_switch_where_it_is_allowed() {
    let chaos = chaos().error(1.0, FailureKind::Unavailable).enabled(false).build().unwrap();
    let inner = service_fn(|_: Request<()>| async { Ok::<_, BoxError>(Response::new(())) });
    let layer = ChaosLayer::new(chaos.clone());
    let with = |value: &str| Request::builder().header("x-chaos", value).body(()).unwrap();
    let allowed = layer.clone().header(http::HeaderName::from_static("x-chaos")).layer(inner);
    allowed.clone().oneshot(with("on")).await.unwrap_err();
    allowed.clone().oneshot(with("yes")).await.unwrap();
    layer.layer(inner).oneshot(with("on")).await.unwrap();
    chaos.set_enabled(true);
    allowed.clone().oneshot(with("off")).await.unwrap();
    allowed.oneshot(Request::new(())).await.unwrap_err();
}
