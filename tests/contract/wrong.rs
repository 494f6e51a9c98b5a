//! The laws catch a wrong layer here too; the testkit's own tests have one for each law.

use std::task::{Context, Poll};

use portcullis_testkit::laws::{Law, Laws};
use tower::{Service, layer::layer_fn};

use crate::policies::{breaker, retry};

/// Calls a clone of the instance that was polled ready.
#[derive(Clone)]
struct CallsAClone<S>(S);

impl<S: Service<Req> + Clone, Req> Service<Req> for CallsAClone<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> S::Future {
        self.0.clone().call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_layer_in_a_stack_is_caught() {
    let stack = || tower::ServiceBuilder::new().layer(breaker()).layer(layer_fn(CallsAClone)).into_inner();
    let broken: Vec<_> = Laws::new(stack).check().await.iter().map(|violation| violation.law).collect();
    assert!(broken.contains(&Law::SameInstance), "{broken:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_does_not_retry_is_caught() {
    let violations = Laws::new(retry).attempts(3).check().await;
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].law, Law::FreshReadiness);
}
