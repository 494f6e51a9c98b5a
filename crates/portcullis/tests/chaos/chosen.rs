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
