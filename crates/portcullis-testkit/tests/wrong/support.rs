//! What all wrong layers have in common.

use std::{future::Future, pin::Pin};

/// A boxed response future: the fixtures are wrong enough without writing futures by hand.
pub(crate) type Boxed<Res, Err> = Pin<Box<dyn Future<Output = Result<Res, Err>> + Send>>;

/// A unit layer `$layer`, whose service `$service` has the inner service as `inner`.
macro_rules! unit_layer {
    ($layer:ident, $service:ident) => {
        #[derive(Clone)]
        pub(crate) struct $layer;

        #[derive(Clone)]
        pub(crate) struct $service<S> {
            inner: S,
        }

        impl<S> tower::Layer<S> for $layer {
            type Service = $service<S>;

            fn layer(&self, inner: S) -> $service<S> {
                $service { inner }
            }
        }
    };
}

pub(crate) use unit_layer;
