//! The HTTP upstream: an axum router with one path.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::workers::{Workers, toil};

/// Workers of the HTTP upstream: about 750 requests/s when nothing is wrong.
pub(crate) const WORKERS: usize = 8;

/// The service of one life.
pub(crate) fn app(workers: Workers) -> Router {
    let broken: fn() -> Response = || StatusCode::INTERNAL_SERVER_ERROR.into_response();
    Router::new().route("/stock", get("42 in stock\n")).layer(from_fn_with_state((workers, broken), toil))
}
