//! A pipeline with every place that a server has for any handler, and the example's stack.

use ::portcullis::{Bulkhead, Drain, Health, Pipeline, RateLimit, Registry, metrics::Prometheus};
use anyhow::{Result, anyhow};
use axum::Router;
use axum_server::{Policies, protect, routes};

use super::{MANY, PATIENCE, ROOM, SECOND, Variant};

pub(super) const PIPELINE: Variant = Variant {
    name: "portcullis",
    layers: "`Pipeline::server`: health, drain, deadline, load shedding, rate limit, bulkhead, adaptive limit",
    router: pipeline,
};

pub(super) const METRICS: Variant = Variant {
    name: "portcullis-metrics",
    layers: "the same, shown to Prometheus once a second",
    router: metrics,
};

pub(super) const EXAMPLE: Variant = Variant {
    name: "portcullis-example",
    layers: "by hand, as `examples/axum-server` has them: health, drain, timeout, retry, breaker, bulkhead, timeout",
    router: example,
};

fn pipeline() -> Result<Router> {
    let pipeline = Pipeline::server("shop")
        .standard()
        .health(Health::new(Registry::global()))
        .drain(Drain::builder("shop").build()?)
        .deadline(PATIENCE)
        .rate_limit(RateLimit::builder("shop").rate(MANY, SECOND).build()?)
        .bulkhead(Bulkhead::builder("shop").max_in_flight(u32::try_from(ROOM)?).build()?)
        .http_server()
        .build()?;
    Ok(routes().layer(pipeline))
}

/// As if it were scraped every second, which is more often than anybody does.
fn metrics() -> Result<Router> {
    let prometheus = Prometheus::install()?;
    let router = pipeline()?;
    tokio::spawn(async move {
        let mut every = tokio::time::interval(SECOND);
        loop {
            every.tick().await;
            drop(prometheus.response());
        }
    });
    Ok(router)
}

fn example() -> Result<Router> {
    let policies = Policies::new("example", Registry::global()).map_err(|error| anyhow!("{error}"))?;
    Ok(protect(routes(), &policies))
}
