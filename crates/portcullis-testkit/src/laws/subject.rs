use futures_util::TryFutureExt;
use tower::{BoxError, ServiceExt, util::BoxCloneService};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    Host,
    exchange::{Exchange, Reads},
};

/// A service of the layer under test, with its types erased: it answers with the number read from
/// the response. Erasure passes readiness and cloning straight through.
pub(super) type Subjected<X> = BoxCloneService<<X as Exchange>::Request, u64, BoxError>;

/// A layer under test, with its types erased, so that each law is written and compiled once.
pub(super) struct Subject<X: Exchange>(Box<dyn Fn(Host<X>) -> Subjected<X>>);

impl<X: Exchange> Subject<X> {
    pub(super) fn new<L>(layer: L) -> Self
    where
        L: Layer<Host<X>> + Clone + Send + Sync + 'static,
        L::Service: Service<<X as Exchange>::Request, Error: Into<BoxError>, Future: Send + 'static>
            + Clone
            + Send
            + 'static,
        X: Reads<<L::Service as Service<<X as Exchange>::Request>>::Response>,
        <L::Service as Service<<X as Exchange>::Request>>::Response: Send + 'static,
    {
        Self(Box::new(move |host| {
            let boxed: fn(_) -> BoxError = Into::into;
            let service = layer.layer(host).map_err(boxed);
            BoxCloneService::new(service.map_future(|answer| answer.and_then(X::read)))
        }))
    }

    pub(super) fn layer(&self, host: Host<X>) -> Subjected<X> {
        (self.0)(host)
    }
}
