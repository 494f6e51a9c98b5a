//! Tower's own layers. Its rate limit is of one caller: a server could only have it behind a buffer, in a task of its
//! own, and so it is left out.

use ::tower::{
    ServiceBuilder, limit::GlobalConcurrencyLimitLayer, load_shed::LoadShedLayer, timeout::TimeoutLayer,
};
use anyhow::Result;
use axum::{Router, error_handling::HandleErrorLayer};
use axum_server::routes;

use super::{PATIENCE, ROOM, Variant, unavailable};

pub(super) const LAYERS: Variant = Variant {
    name: "tower",
    layers: "`HandleErrorLayer`, timeout, load shedding, concurrency limit",
    router,
};

fn router() -> Result<Router> {
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(unavailable))
        .layer(TimeoutLayer::new(PATIENCE))
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(ROOM));
    Ok(routes().layer(layers))
}
