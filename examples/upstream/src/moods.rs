//! An HTTP service that does as it is told.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};

use tokio::time::Instant;

use crate::Door;

/// An HTTP service on loopback that does as it is told. Dropping it stops it.
///
/// It answers every request with 200 and what it was asked, a line such as `PUT /stock/7 twelve`. A
/// request for `/moved` is redirected to `/stock` with status 307. `/livez` is not noted and not
/// counted, and answers 503 while the upstream is [down](Self::set_down).
#[derive(Debug)]
pub struct Upstream {
    door: Door,
    mood: Arc<Mood>,
}

#[derive(Debug, Default)]
struct Mood {
    failures_left: AtomicU32,
    hanging: AtomicBool,
    down: AtomicBool,
    quota: Mutex<Option<Quota>>,
    seen: Mutex<Vec<String>>,
}

/// Requests in a second.
#[derive(Debug)]
struct Quota {
    most: u32,
    asked: u32,
    since: Instant,
}

impl Upstream {
    /// Starts it on a free port.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub fn start() -> io::Result<Self> {
        let mut upstream = Self { door: Door::new()?, mood: Arc::default() };
        upstream.restart()?;
        Ok(upstream)
    }

    /// Cuts its connections, and refuses new ones.
    ///
    /// # Errors
    ///
    /// When the port is lost.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.door.shut().await
    }

    /// Starts it again, at the same port.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on.
    pub fn restart(&mut self) -> io::Result<()> {
        self.door.open(Router::new().fallback(answer).with_state(self.mood.clone()))
    }

    /// The next `requests` fail with 503.
    pub fn fail_next(&self, requests: u32) {
        self.mood.failures_left.store(requests, SeqCst);
    }

    /// Whether requests that come get no answer.
    pub fn set_hanging(&self, hanging: bool) {
        self.mood.hanging.store(hanging, SeqCst);
    }

    /// Answers at most so many requests in a second, and the others with 429 and `Retry-After: 1`.
    pub fn set_quota(&self, most: u32) {
        *self.mood.quota() = Some(Quota { most, asked: 0, since: Instant::now() });
    }

    /// Whether everything fails with 503, `/livez` too.
    pub fn set_down(&self, down: bool) {
        self.mood.down.store(down, SeqCst);
    }

    /// What it was asked, a line for each request.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.mood.seen().clone()
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// The URL of a path, which begins with `/`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }
}

impl Mood {
    fn seen(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn quota(&self) -> std::sync::MutexGuard<'_, Option<Quota>> {
        self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over_quota(&self) -> bool {
        let mut quota = self.quota();
        let Some(quota) = &mut *quota else { return false };
        if quota.since.elapsed() >= Duration::from_secs(1) {
            (quota.asked, quota.since) = (0, Instant::now());
        }
        quota.asked += 1;
        quota.asked > quota.most
    }

    fn fails(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.down.load(SeqCst) || self.failures_left.fetch_update(SeqCst, SeqCst, one_less).is_ok()
    }
}

async fn answer(State(mood): State<Arc<Mood>>, method: Method, uri: Uri, body: String) -> Response {
    if uri.path() == "/livez" {
        let down = mood.down.load(SeqCst);
        return if down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }.into_response();
    }
    let line = format!("{method} {uri} {body}").trim_end().to_owned();
    mood.seen().push(line.clone());
    if mood.hanging.load(SeqCst) {
        std::future::pending::<()>().await;
    }
    if mood.is_over_quota() {
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")]).into_response();
    }
    if mood.fails() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match uri.path() {
        "/moved" => Redirect::temporary("/stock").into_response(),
        _ => line.into_response(),
    }
}
