//! The observer in a tower stack.

use tower_layer::Layer;

use super::{ObserveService, Observer, policy::Scope};
use crate::{Boxed, protocol::layer::protocol_shorthands};

/// Lets an [`Observer`] see the calls of a service, or their attempts. The protocol is [`Boxed`] unless another is
/// chosen.
#[derive(Clone, Debug)]
pub struct ObserveLayer<P = Boxed> {
    observer: Observer,
    scope: Scope,
    protocol: P,
}

impl ObserveLayer {
    /// A layer that sees calls. Put it outside of all others.
    pub fn calls(observer: Observer) -> Self {
        Self { observer, scope: Scope::Call, protocol: Boxed::default() }
    }

    /// A layer that sees the attempts of calls. Put it right inside of the retry and the hedge.
    pub fn attempts(observer: Observer) -> Self {
        Self { observer, scope: Scope::Attempt, protocol: Boxed::default() }
    }
}

protocol_shorthands!(ObserveLayer, observer, scope);

impl<P> ObserveLayer<P> {
    pub(crate) const fn observer(&self) -> &Observer {
        &self.observer
    }
}

impl<S, P: Clone> Layer<S> for ObserveLayer<P> {
    type Service = ObserveService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        ObserveService::new(inner, self.observer.clone(), self.scope, self.protocol.clone())
    }
}

crate::registry::member!([P] ObserveLayer<P>, observer);
