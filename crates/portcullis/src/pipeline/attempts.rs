//! What makes calls again or answers in their place: it keeps requests, in a way that depends on the protocol.

use std::sync::Weak;

use portcullis_core::{
    ConfigError, Name,
    pipeline::{Place, Repeats},
};

use super::{Dialect, Fits, IntoPart, Making, Told, repeats::repeats, slot};
#[cfg(feature = "cache")]
use crate::cache::{CacheLayer, Key, Value};
use crate::{
    Boxed, FallbackLayer, Hedge, HedgeLayer, RetryLayer, RetryPolicy, hedge,
    registry::{Member, Policy},
    replay::{CloneReplay, Never},
    retry,
};

/// Retries and hedges: those that were told no protocol keep requests as the pipeline's does.
macro_rules! repeating {
    ($Slot:ident: $Handle:ident as $Layer:ident or $config:ident) => {
        impl<P, R, I, K: Member> Fits<slot::$Slot> for $Layer<P, R, I, K> {}
        impl Fits<slot::$Slot> for $Handle {}
        impl Fits<slot::$Slot> for $config::Config {}

        impl<D: Dialect, I: 'static, K: Member> IntoPart<D> for $Layer<Boxed, CloneReplay, I, K> {
            type Layer = $Layer<D, D::Replay, I, K>;

            fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
                making.add(place, &self, repeats::<D::Replay, I>());
                let dialect = making.dialect();
                Ok(self.replay(dialect.replay()).protocol(dialect.clone()))
            }
        }

        impl<D: Dialect> IntoPart<D> for $Handle {
            type Layer = $Layer<D, D::Replay, Never>;

            fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
                $Layer::new(self).into_part(place, making)
            }
        }

        impl Member for $config::Config {
            fn member(&self) -> Option<(Name, Weak<dyn Policy>)> {
                None
            }
        }

        impl<D: Dialect> IntoPart<D> for $config::Config {
            type Layer = $Layer<D, D::Replay, Never>;

            fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
                let policy = $Handle::builder(making.name().clone()).config(self).registry(making.registry());
                let policy = match making.budget() {
                    Some(budget) => policy.budget(&budget),
                    None => policy,
                };
                policy.build()?.into_part(place, making)
            }
        }
    };
}

repeating!(Retry: RetryPolicy as RetryLayer or retry);
repeating!(Hedge: Hedge as HedgeLayer or hedge);

/// Those that were told a protocol keep it, and what they keep of requests.
macro_rules! told {
    ($($Layer:ident)*) => {
        $(
            impl<D, P: Told, R: 'static, I: 'static, K: Member> IntoPart<D> for $Layer<P, R, I, K> {
                type Layer = Self;

                fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self, ConfigError> {
                    making.add(place, &self, repeats::<R, I>());
                    Ok(self)
                }
            }
        )*
    };
}

told!(RetryLayer HedgeLayer);

impl<N, P, R> Fits<slot::Fallback> for FallbackLayer<N, P, R> {}

impl<D: Dialect, N> IntoPart<D> for FallbackLayer<N, Boxed, CloneReplay> {
    type Layer = FallbackLayer<N, D, D::Replay>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        making.add(place, &self, Repeats::Unknown);
        let dialect = making.dialect();
        Ok(self.replay(dialect.replay()).protocol(dialect.clone()))
    }
}

super::accepts::keeps!(FallbackLayer[N][R]);

#[cfg(feature = "cache")]
impl<K: Key, V: Value, F, R, P> Fits<slot::Cache> for CacheLayer<K, V, F, R, P> {}

#[cfg(feature = "cache")]
impl<D: Dialect, K: Key, V: Value, F, R> IntoPart<D> for CacheLayer<K, V, F, R, Boxed> {
    type Layer = CacheLayer<K, V, F, R, D>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        making.add(place, &self, Repeats::Unknown);
        Ok(self.protocol(making.dialect().clone()))
    }
}

#[cfg(feature = "cache")]
super::accepts::keeps!(CacheLayer [K: Key, V: Value, F, R] []);
