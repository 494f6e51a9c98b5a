//! A retry needs a way to send a request again.

use portcullis::{BoxError, RetryLayer, RetryPolicy};
use tower::{Layer, Service, service_fn};

struct Order;

fn serve<S: Service<Order>>(_: S) {}

fn main() {
    let layer = RetryLayer::new(RetryPolicy::new("shop"));
    serve(layer.layer(service_fn(async |_: Order| Ok::<_, BoxError>(()))));
}
