//! Whether an HTTP service answers well.

use std::{
    fmt,
    future::poll_fn,
    sync::{Mutex, PoisonError},
};

use ::http::{Request, Response, StatusCode};
use portcullis_core::{ConfigError, health::Grades};
use tower_service::Service;

use super::{Ask, Reading, slow};
use crate::{BoxError, clock};

/// Whether an HTTP service answers with a status of success. The body of the answer is not read.
///
/// It goes through any client that is a tower service, with whatever layers that has, of which each sees it as any
/// other call: a breaker counts it, and may refuse it, which says nothing. With the features `checks` and `hyper`
/// there is a plain client to take, in `Http::get`.
///
/// ```
/// use portcullis::{BoxError, HealthMonitor, Registry, check::Http};
/// use http::{Request, Response};
/// use tower::service_fn;
///
/// let client = service_fn(|_: Request<String>| async { Ok::<_, BoxError>(Response::new(String::new())) });
/// let check = Http::through(client, || Request::get("http://shop/health").body(String::new()).unwrap());
///
/// let monitor = HealthMonitor::new(&Registry::new());
/// monitor.check("shop").spawn(check)?;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
pub struct Http<S, F> {
    /// Locked to be cloned, so that it need not be shared between threads.
    service: Mutex<S>,
    request: F,
    accepted: fn(StatusCode) -> bool,
    slow: Grades,
}

impl<S, F> Http<S, F> {
    /// A check through this client, with the requests that `request` makes.
    pub fn through(service: S, request: F) -> Self {
        let accepted = |status: StatusCode| status.is_success();
        Self { service: Mutex::new(service), request, accepted, slow: Grades::default() }
    }

    /// Which answers are good (default 200 to 299).
    #[must_use]
    pub fn accept(self, accepted: fn(StatusCode) -> bool) -> Self {
        Self { accepted, ..self }
    }

    /// From how many seconds until the head of the answer on it is not well (default never); 0 to 3600.
    ///
    /// # Errors
    ///
    /// The first outside its range, or below a milder one: `http.slow.warning` and so on.
    pub fn slow(self, slow: Grades) -> Result<Self, ConfigError> {
        slow.check(["http.slow.warning", "http.slow.degraded", "http.slow.critical"], 0.0..=3600.0)?;
        Ok(Self { slow, ..self })
    }
}

impl<S, F, ReqB, ResB> Ask for Http<S, F>
where
    S: Service<Request<ReqB>, Response = Response<ResB>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
    F: Fn() -> Request<ReqB> + Send + Sync + 'static,
    ReqB: Send,
    ResB: Send,
{
    async fn ask(&self) -> Result<Reading, BoxError> {
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let request = (self.request)();
        let before = clock::now();
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
        let status = service.call(request).await.map_err(Into::into)?.status();
        if (self.accepted)(status) { Ok(slow(&self.slow, before)) } else { Err(status.to_string().into()) }
    }
}

impl<S, F> fmt::Debug for Http<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("slow", &self.slow).finish_non_exhaustive()
    }
}
