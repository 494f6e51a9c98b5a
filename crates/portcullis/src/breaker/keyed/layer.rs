//! The keyed breaker in a tower stack.

use std::fmt;

use tower_layer::Layer;

use super::{KeyedBreaker, KeyedBreakerService};
use crate::{Boxed, protocol::layer::protocol_shorthands};

/// Puts a [`KeyedBreaker`] in front of a service.
///
/// What a request is keyed by is said by a [`KeyOf`](crate::keyed::KeyOf): one of [`by`](crate::keyed::by), or
/// a function that returns the key. A request without a key passes, and nobody records how it ends.
///
/// The protocol is [`Boxed`] unless another is chosen. All services made by it, and by its clones, share the
/// breakers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// use http::{Request, Response};
/// use portcullis::{KeyedBreaker, KeyedBreakerLayer, keyed::by};
/// use std::convert::Infallible;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// let routes = KeyedBreaker::builder("routes").consecutive_failures(1).build()?;
/// let service = ServiceBuilder::new()
///     .layer(KeyedBreakerLayer::new(routes, by::path_prefix(1)).http_server())
///     .service(service_fn(|request: Request<String>| async move {
///         let status = if request.uri().path().starts_with("/broken") { 500 } else { 200 };
///         Ok::<_, Infallible>(Response::builder().status(status).body(String::new()).unwrap())
///     }));
///
/// let mut seen = Vec::new();
/// for uri in ["/broken/1", "/broken/2", "/fine/3"] {
///     let request = Request::get(uri).body(String::new())?;
///     seen.push(service.clone().oneshot(request).await?.status().as_u16());
/// }
/// assert_eq!(seen, [500, 503, 200]);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct KeyedBreakerLayer<K, F, P = Boxed> {
    breaker: KeyedBreaker<K>,
    key_of: F,
    protocol: P,
}

impl<K, F> KeyedBreakerLayer<K, F> {
    /// A layer of this keyed breaker, for requests that have the key which `key_of` finds.
    pub fn new(breaker: KeyedBreaker<K>, key_of: F) -> Self {
        Self { breaker, key_of, protocol: Boxed::default() }
    }
}

protocol_shorthands!(KeyedBreakerLayer<K, F>, breaker, key_of);

impl<S, K, F: Clone, P: Clone> Layer<S> for KeyedBreakerLayer<K, F, P> {
    type Service = KeyedBreakerService<S, K, F, P>;

    fn layer(&self, inner: S) -> Self::Service {
        KeyedBreakerService::new(inner, self.breaker.clone(), self.key_of.clone(), self.protocol.clone())
    }
}

impl<K, F, P: fmt::Debug> fmt::Debug for KeyedBreakerLayer<K, F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBreakerLayer")
            .field("breaker", &self.breaker)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

crate::registry::member!([K: crate::keyed::Key, F, P] KeyedBreakerLayer<K, F, P>, breaker);
