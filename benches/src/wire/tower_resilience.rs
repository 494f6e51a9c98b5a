//! `tower-resilience`: the four of its layers that limit what a server takes on.

use ::tower::ServiceBuilder;
use ::tower_resilience::{
    adaptive::{AdaptiveLimiterLayer, Vegas},
    bulkhead::BulkheadLayer,
    ratelimiter::RateLimiterLayer,
    timelimiter::TimeLimiterLayer,
};
use anyhow::Result;
use axum::{Router, error_handling::HandleErrorLayer};
use axum_server::routes;

use super::{MANY, PATIENCE, ROOM, SECOND, Variant, unavailable};

pub(super) const LAYERS: Variant = Variant {
    name: "tower-resilience",
    layers: "`HandleErrorLayer`, time limiter, rate limiter, bulkhead, adaptive limiter",
    router,
};

fn router() -> Result<Router> {
    let rate = RateLimiterLayer::builder().limit_for_period(usize::try_from(MANY)?).refresh_period(SECOND);
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(unavailable))
        .layer(TimeLimiterLayer::builder().timeout_duration(PATIENCE).build())
        .layer(rate.build()?)
        .layer(BulkheadLayer::builder().max_concurrent_calls(ROOM).build()?)
        .layer(AdaptiveLimiterLayer::new(Vegas::builder().max_limit(ROOM).build()?));
    Ok(routes().layer(layers))
}
