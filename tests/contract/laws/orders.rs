//! Every order of the layers keeps the laws, the unwise ones too.

use std::time::Duration;

use portcullis::{BoxError, BreakerLayer, BulkheadLayer, RetryLayer, TimeoutLayer, retry::Always};
use portcullis_testkit::{
    laws::{Answer, Call, Laws},
    script::{self, Step},
};
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt, limit::ConcurrencyLimit, util::BoxCloneService};

use crate::policies::{ATTEMPTS, attempt, breaker, retry, single_file, total};

type Erased = BoxCloneService<Call, Answer, BoxError>;

/// A layer whose type does not tell its place in the stack.
#[derive(Clone)]
enum Any {
    Breaker(BreakerLayer),
    Bulkhead(BulkheadLayer),
    Retry(RetryLayer<portcullis::Boxed, portcullis::retry::CloneReplay, Always>),
    Timeout(TimeoutLayer),
}

impl Any {
    fn all() -> [Self; 5] {
        [
            Self::Timeout(total()),
            Self::Retry(retry().idempotent()),
            Self::Breaker(breaker()),
            Self::Bulkhead(single_file()),
            Self::Timeout(attempt()),
        ]
    }

    fn around(&self, inner: Erased) -> Erased {
        match self {
            Self::Breaker(layer) => layer.layer(inner).boxed_clone(),
            Self::Bulkhead(layer) => layer.layer(inner).boxed_clone(),
            Self::Retry(layer) => layer.layer(inner).boxed_clone(),
            Self::Timeout(layer) => layer.layer(inner).boxed_clone(),
        }
    }
}

/// Layers from outside to inside.
#[derive(Clone)]
struct Order(Vec<Any>);

impl<S> Layer<S> for Order
where
    S: Service<Call, Response = Answer, Error: Into<BoxError>, Future: Send + 'static>
        + Clone
        + Send
        + 'static,
{
    type Service = Erased;

    fn layer(&self, inner: S) -> Erased {
        let inner = inner.map_err(Into::into).boxed_clone();
        self.0.iter().rev().fold(inner, |inner, layer| layer.around(inner))
    }
}

/// The order with this number, of 120, by which of the layers left over comes next.
fn order(mut number: usize) -> Vec<usize> {
    let mut left: Vec<_> = (0..5).collect();
    (1..=5)
        .rev()
        .map(|choices| {
            let choice = number % choices;
            number /= choices;
            left.remove(choice)
        })
        .collect()
}

fn layers(order: &[usize]) -> Order {
    let layers = Any::all();
    Order(order.iter().map(|&place| layers[place].clone()).collect())
}

async fn check(numbers: std::ops::Range<usize>) {
    for number in numbers {
        let order = order(number);
        let laws = Laws::new({
            let order = order.clone();
            move || layers(&order)
        });
        let violations = laws.limited_to(1).attempts(ATTEMPTS).check().await;
        assert!(violations.is_empty(), "{order:?}: {violations:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn half_of_them() {
    check(0..60).await;
}

#[tokio::test(start_paused = true)]
async fn the_other_half() {
    check(60..120).await;
}

/// A failed attempt, its retry and the calls that wait for it get along on one permit of the inner service.
#[tokio::test(start_paused = true)]
async fn nobody_starves() {
    for order in (0..120).map(order) {
        let (leaf, script) = script::always(|call: &Call| Step::<_, BoxError>::ok(Answer(call.0)));
        script.push(Step::err("once".into()));
        let service = layers(&order).layer(ConcurrencyLimit::new(leaf, 1));
        let began = Instant::now();
        for call in [1, 2, 3].map(|number| tokio::spawn(service.clone().oneshot(Call(number)))) {
            let answer = call.await.unwrap();
            assert!(answer.is_ok(), "{order:?}: {answer:?}");
        }
        assert!(began.elapsed() < Duration::from_secs(1), "{order:?}: {:?}", began.elapsed());
    }
}
