//! Whether the service lives, wants traffic, and is well; and its metrics.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use portcullis::Level;

use super::json;
use crate::{console::Shared, problem::Problem};

/// The process runs, or it could not say so.
pub(crate) async fn livez() -> &'static str {
    "live"
}

pub(crate) async fn readyz(State(console): State<Arc<Shared>>) -> Response {
    if console.health.is_ready() {
        return "ready".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, "not ready").into_response()
}

/// The whole picture. It is critical when it says so, whatever has changed since.
pub(crate) async fn health(State(console): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let wants_text = query.is_some_and(|query| query.split('&').any(|pair| pair == "format=text"));
    let (answer, critical) = if wants_text {
        let text = console.health.text();
        let critical = text.starts_with(Level::Critical.as_str());
        (text.into_response(), critical)
    } else {
        let document = console.health.document();
        (json(&document), document["overall_status"] == Level::Critical.as_str())
    };
    let status = if critical { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, answer).into_response()
}

#[cfg(feature = "prometheus")]
pub(crate) async fn metrics(State(console): State<Arc<Shared>>) -> Response {
    match &console.prometheus {
        Some(prometheus) => prometheus.response().into_response(),
        None => no_metrics(),
    }
}

#[cfg(not(feature = "prometheus"))]
pub(crate) async fn metrics(State(_): State<Arc<Shared>>) -> Response {
    no_metrics()
}

fn no_metrics() -> Response {
    Problem::not_found(
        "the console was given no exporter: `Console::builder(registry).prometheus(&Prometheus::install()?)`",
    )
    .into_response()
}
