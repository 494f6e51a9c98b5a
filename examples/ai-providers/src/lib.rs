//! Three providers of one thing, each with a breaker and a timeout of its own: the first that can answers.
//!
//! [`Providers`] is made once; [`Providers::client`] is what handlers call. From outside: total timeout,
//! failover, and for each provider a breaker, an attempt timeout and its address. A provider that hangs costs
//! its timeout until its breaker opens, and nothing after that; one that says `Retry-After` is left alone for as
//! long.

#![forbid(unsafe_code)]

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper_util::{client::legacy, rt::TokioExecutor};
use portcullis::{
    BoxError, Breaker, BreakerLayer, ConfigError, Registry, Timeout, TimeoutLayer, TimeoutScope,
    fallback::Failover, replay::ReplayBody,
};
use tower::{
    Layer as _, ServiceBuilder,
    util::{BoxCloneService, BoxCloneSyncService},
};

/// A body of any kind.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// The client with its layers. The box only gives the type a name; clones share everything.
pub type Client = BoxCloneService<Request<Full<Bytes>>, Response<Body>, BoxError>;

/// The stack of one provider.
type Stack = BoxCloneSyncService<Request<ReplayBody<Full<Bytes>>>, Response<Body>, BoxError>;

/// What a caller waits at most.
pub const DEADLINE: Duration = Duration::from_millis(500);
/// What one provider gets of that: three can be asked in turn.
const ATTEMPT: Duration = Duration::from_millis(150);
/// Five timeouts in a row say enough.
const FAILURES: u32 = 5;
/// How long a provider is left alone that says nothing of it.
const OPEN_FOR: Duration = Duration::from_secs(1);

/// The providers of one service.
#[derive(Clone, Debug)]
pub struct Providers {
    total: Timeout,
    failover: Failover<Stack>,
}

impl Providers {
    /// These providers, by name and address, in this order.
    ///
    /// # Errors
    ///
    /// A setting outside its range; no provider, or two of one name.
    pub fn new(providers: &[(&str, Uri)], registry: &Registry) -> Result<Self, ConfigError> {
        let http = legacy::Client::builder(TokioExecutor::new()).build_http::<ReplayBody<Full<Bytes>>>();
        let mut failover = Failover::builder("ai").registry(registry);
        for (name, address) in providers {
            let breaker = Breaker::builder(*name).consecutive_failures(FAILURES).open_for(OPEN_FOR);
            let timeout = Timeout::builder(*name, ATTEMPT).scope(TimeoutScope::Attempt).registry(registry);
            let address = address.clone();
            let stack = ServiceBuilder::new()
                .map_response(|response: Response<_>| response.map(Body::new))
                .layer(BreakerLayer::new(breaker.registry(registry).build()?).http_client())
                .layer(TimeoutLayer::new(timeout.build()?).http_client())
                .map_request(move |request| at(&address, request))
                .service(http.clone());
            failover = failover.provider(*name, BoxCloneSyncService::new(stack));
        }
        Ok(Self {
            total: Timeout::builder("ai", DEADLINE).registry(registry).build()?,
            failover: failover.build()?,
        })
    }

    /// What handlers call, with requests for a path.
    pub fn client(&self) -> Client {
        let failover = self.failover.clone().http_client();
        let timed = TimeoutLayer::new(self.total.clone()).http_client().layer(failover);
        let boxed = ServiceBuilder::new().map_response(|response: Response<_>| response.map(Body::new));
        BoxCloneService::new(boxed.service(timed))
    }

    /// The service itself, which tells who passed what on.
    pub fn failover(&self) -> &Failover<Stack> {
        &self.failover
    }
}

/// The request at the address of one provider.
fn at<B>(address: &Uri, mut request: Request<B>) -> Request<B> {
    let mut parts = address.clone().into_parts();
    parts.path_and_query = request.uri().path_and_query().cloned();
    // An address with a scheme and a host takes any path.
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

/// Reads an answer to its end.
///
/// # Errors
///
/// What the connection says.
pub async fn text(response: Response<Body>) -> Result<String, BoxError> {
    Ok(String::from_utf8_lossy(&response.into_body().collect().await?.to_bytes()).into_owned())
}
