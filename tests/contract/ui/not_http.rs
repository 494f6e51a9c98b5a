//! The HTTP protocols are for HTTP.

use portcullis::{BoxError, Bulkhead, BulkheadLayer};
use tower::{Layer, Service, service_fn};

fn serve<S: Service<u32>>(_: S) {}

fn main() {
    let layer = BulkheadLayer::new(Bulkhead::new("shop")).http_client();
    let service = layer.layer(service_fn(async |number: u32| Ok::<_, BoxError>(number)));
    serve(service);
}
