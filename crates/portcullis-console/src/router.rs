//! The paths.

use std::sync::Arc;

use axum::{
    Router,
    extract::{OriginalUri, State},
    http::{HeaderValue, StatusCode, Uri, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use portcullis::TimeoutLayer;

use crate::{Console, api, console::Shared, guard::guard, page, problem::Problem};

impl Console {
    /// The page and everything below it, to be nested under a prefix, or served as it is.
    ///
    /// `nest_service` is the one that knows `/prefix/` too; with `nest`, axum itself answers that path, and `/prefix` leads to
    /// `/prefix/index.html`.
    ///
    /// Reads without a token need to know who asks, by axum's [`ConnectInfo`](axum::extract::ConnectInfo): serve the whole
    /// with `into_make_service_with_connect_info::<SocketAddr>()`.
    pub fn router(&self) -> Router {
        let state = self.0.clone();
        Router::new()
            .route("/", get(front))
            .route("/{file}", get(page::file))
            .route("/livez", get(api::health::livez))
            .route("/readyz", get(api::health::readyz))
            .route("/health", get(api::health::health))
            .route("/metrics", get(api::health::metrics))
            .route("/api/policies", get(api::policies::all))
            .route("/api/policies/{name}", get(api::policies::named))
            .route("/api/policies/{name}/{action}", post(api::actions::act))
            .route("/api/stop", post(api::actions::stop))
            .route("/api/release", post(api::actions::release))
            .route("/api/reset", post(api::actions::reset))
            .route("/api/events", get(api::events::events))
            .route("/api/pipelines", get(api::pipelines::all))
            .route("/api/pipelines/{name}/explain", get(api::pipelines::explain))
            .route("/api/config", get(api::config::read).put(api::config::write))
            .fallback(nothing)
            .method_not_allowed_fallback(not_so)
            .layer(TimeoutLayer::new(state.limits.request.clone()).http_server())
            .layer(from_fn_with_state(state.clone(), guard))
            .with_state(state)
    }
}

/// The page; under a prefix without its slash, the way to it, since the page's own paths are relative.
async fn front(State(_): State<Arc<Shared>>, OriginalUri(uri): OriginalUri) -> Response {
    if uri.path().ends_with('/') { page::index() } else { to_page(&uri) }
}

fn to_page(uri: &Uri) -> Response {
    // Of the last part alone, and relative, so that no proxy's own prefix is lost, and nothing of what was asked leads elsewhere.
    let last = uri.path().rsplit('/').next().unwrap_or_default();
    let Ok(place) = HeaderValue::try_from(format!("./{last}/index.html")) else {
        return Problem::not_found("there is nothing here").into_response();
    };
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response()
}

async fn nothing() -> Problem {
    Problem::not_found("there is nothing here")
}

async fn not_so() -> Problem {
    Problem::new(405, "this cannot be done here")
}
