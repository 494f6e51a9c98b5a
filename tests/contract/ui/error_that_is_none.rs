//! Without a protocol the error must be one that can be boxed.

use portcullis::{Breaker, BreakerLayer};
use tower::{Layer, Service, service_fn};

struct NoError;

fn serve<S: Service<u32>>(_: S) {}

fn main() {
    let layer = BreakerLayer::new(Breaker::new("shop"));
    serve(layer.layer(service_fn(async |number: u32| Ok::<_, NoError>(number))));
}
