//! The console's paths.

use std::convert::Infallible;
use std::sync::atomic::Ordering;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt as _};
use tokio_stream::wrappers::WatchStream;

use super::{Shared, Story};
use crate::schedule::Fault;

/// A page of another site cannot send this without being asked first, and nobody answers that.
const ASKED_BY_THE_PAGE: HeaderName = HeaderName::from_static("x-storm");

const POLICY: [(HeaderName, &str); 1] = [(header::CONTENT_SECURITY_POLICY, "default-src 'self'")];

/// Page, state, events, faults.
pub(super) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/", get(|| async { (POLICY, Html(include_str!("index.html"))) }))
        .route("/console.js", get(|| asset("text/javascript", include_str!("console.js"))))
        .route("/console.css", get(|| asset("text/css", include_str!("console.css"))))
        .route("/api/state", get(state))
        .route("/api/events", get(events))
        .route("/api/fault/{name}", post(fault))
        .with_state(shared)
}

async fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind)], text)
}

async fn state(State(shared): State<Shared>) -> Json<Story> {
    Json(Story::clone(&shared.story.borrow()))
}

/// The whole story at each change: a page that was away has missed nothing.
async fn events(State(shared): State<Shared>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = WatchStream::new(shared.story).map(|story| {
        // Numbers and names only: it cannot fail, and an empty event harms nobody.
        Ok(Event::default().json_data(&*story).unwrap_or_default())
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

async fn fault(State(shared): State<Shared>, Path(name): Path<String>, headers: HeaderMap) -> StatusCode {
    if !headers.contains_key(ASKED_BY_THE_PAGE) {
        return StatusCode::FORBIDDEN;
    }
    let Some(fault) = Fault::named(&name) else { return StatusCode::NOT_FOUND };
    if !shared.takes_wishes.load(Ordering::Relaxed) {
        return StatusCode::CONFLICT;
    }
    match shared.wishes.try_send(fault) {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::TOO_MANY_REQUESTS,
    }
}
