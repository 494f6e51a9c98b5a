//! Which hedge a request is sent by.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use portcullis::{BoxError, Hedge, HedgeLayer, hedge::Policies};
use tokio::time::sleep;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::support::{hedge, ms};

/// Takes 50 ms; counts its attempts.
fn slow(
    attempts: &Arc<AtomicU32>,
) -> impl Service<u32, Response = u32, Error = BoxError, Future: Send> + Clone + use<> {
    let attempts = attempts.clone();
    service_fn(move |n: u32| {
        attempts.fetch_add(1, Relaxed);
        async move {
            sleep(ms(50)).await;
            Ok(n)
        }
    })
}

#[tokio::test(start_paused = true)]
async fn only_the_requests_that_apply_are_hedged() {
    let (hedge, attempts) = (hedge().build().unwrap(), Arc::new(AtomicU32::new(0)));
    let service =
        HedgeLayer::new(hedge.clone()).idempotent().only_if(|n: &u32| *n < 10).layer(slow(&attempts));
    for (request, sent) in [(10, 1), (9, 2)] {
        assert_eq!(service.clone().oneshot(request).await.unwrap(), request);
        assert_eq!(attempts.swap(0, Relaxed), sent);
    }
    assert_eq!(hedge.status().calls, 1);
}

#[derive(Clone)]
struct BySize {
    small: Hedge,
    large: Hedge,
}

impl Policies<u32> for BySize {
    fn policy(&self, request: &u32) -> Option<Cow<'_, Hedge>> {
        match request {
            0 => None,
            1..10 => Some(Cow::Borrowed(&self.small)),
            _ => Some(Cow::Owned(self.large.clone())),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_goes_by_the_hedge_that_is_picked_for_it() {
    let small = hedge().fixed_delay(ms(10)).max_attempts(3).build().unwrap();
    let large = hedge().fixed_delay(ms(45)).build().unwrap();
    let attempts = Arc::new(AtomicU32::new(0));
    let layer = HedgeLayer::by(BySize { small: small.clone(), large: large.clone() });
    let service = layer.clone().idempotent().layer(slow(&attempts));
    for (request, sent) in [(0, 1), (1, 3), (10, 2)] {
        assert_eq!(service.clone().oneshot(request).await.unwrap(), request);
        assert_eq!(attempts.swap(0, Relaxed), sent, "{request}");
    }
    assert_eq!((small.status().sent, large.status().sent), (2, 1));

    // What may not be processed twice is nobody's.
    layer.layer(slow(&attempts)).oneshot(1).await.unwrap();
    assert_eq!((attempts.swap(0, Relaxed), small.status().calls), (1, 1));
}
