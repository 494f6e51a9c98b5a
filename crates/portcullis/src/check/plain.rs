//! The plain client of HTTP checks.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use ::http::{Request, Response, Uri, uri::Scheme};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, Error, ResponseFuture, connect::HttpConnector},
    rt::TokioExecutor,
};
use portcullis_core::ConfigError;
use tower_service::Service;

use super::Http;

/// A client for a question now and then: a connection for each, HTTP/1.1, without TLS.
#[derive(Clone)]
pub struct Plain(Client<HttpConnector, String>);

impl Http<Plain, fn() -> Request<String>> {
    /// A check of this address, such as `"http://127.0.0.1:8080/readyz"`. For TLS, take a client of your own.
    ///
    /// ```
    /// use portcullis::{HealthMonitor, Registry, check::Http};
    ///
    /// let monitor = HealthMonitor::new(&Registry::new());
    /// monitor.check("shop").spawn(Http::get("http://127.0.0.1:8080/readyz")?)?;
    /// assert_eq!(Http::get("https://shop/").unwrap_err().field(), "http.address");
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// It is no whole address that begins with `http://`: `http.address`.
    pub fn get(
        address: &str,
    ) -> Result<Http<Plain, impl Fn() -> Request<String> + Send + Sync + use<>>, ConfigError> {
        let allowed = "a whole address, such as \"http://127.0.0.1:8080/readyz\"";
        let uri = address.parse::<Uri>().ok();
        let uri = uri.filter(|uri| uri.scheme() == Some(&Scheme::HTTP) && uri.host().is_some());
        let uri = uri.ok_or_else(|| ConfigError::new("http.address", address, allowed))?;
        // A connection that was kept would be found broken, or would keep a server that is to end.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        let request = move || {
            let mut request = Request::new(String::new());
            *request.uri_mut() = uri.clone();
            request
        };
        Ok(Http::through(Plain(client), request))
    }
}

impl Service<Request<String>> for Plain {
    type Response = Response<Incoming>;
    type Error = Error;
    type Future = Answer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<String>) -> Answer {
        Answer(self.0.request(request))
    }
}

/// The response future of [`Plain`].
pub struct Answer(ResponseFuture);

impl Future for Answer {
    type Output = Result<Response<Incoming>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain")
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("check::Answer")
    }
}
