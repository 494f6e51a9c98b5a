//! `Typed` asks for an error that can carry a rejection.

use portcullis::{Breaker, BreakerLayer};
use tower::{ServiceBuilder, service_fn, util::BoxCloneService};

struct ShopError;

fn main() {
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(Breaker::new("shop")).typed())
        .service(service_fn(async |number: u32| Ok::<_, ShopError>(number)));
    let _: BoxCloneService<u32, u32, ShopError> = BoxCloneService::new(service);
}
