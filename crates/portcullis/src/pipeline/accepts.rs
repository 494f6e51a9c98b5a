//! What a pipeline takes for each place, and the layer that it becomes.

use std::sync::Weak;

use portcullis_core::{
    ConfigError, Name, adaptive, breaker, bulkhead, chaos, coalesce, drain,
    pipeline::{Place, Repeats},
    pool, rate, shed, throttle,
};
use tower_layer::Identity;

use super::{Dialect, Fits, Making, slot};
use crate::{
    AdaptiveLimit, AdaptiveLimitLayer, Boxed, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, Chaos,
    ChaosLayer, Coalesce, CoalesceLayer, Drain, DrainLayer, Executor, ExecutorLayer, KeyedBreakerLayer,
    KeyedBulkheadLayer, LoadShed, LoadShedLayer, RateLimit, RateLimitLayer, ThreadPool, ThreadPoolLayer,
    Throttle, ThrottleLayer,
    keyed::Key,
    registry::{Member, Policy},
};
#[cfg(feature = "http")]
use crate::{Health, HealthLayer};

/// What can be a part of a pipeline that speaks `D`.
///
/// Layers that were told no protocol speak the pipeline's; others keep theirs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a part of a pipeline that speaks `{D}`",
    note = "a place takes a policy's handle, its settings or its layer; a layer that was told no protocol speaks the \
            pipeline's, and others keep theirs"
)]
pub trait IntoPart<D>: Member {
    /// The layer.
    type Layer;

    /// The layer of this part, which is [added](Making::add) to what the pipeline is made of.
    ///
    /// # Errors
    ///
    /// Settings outside their range.
    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError>;
}

/// Nothing at this place.
#[derive(Clone, Copy, Debug)]
pub struct Absent;

impl Member for Absent {
    fn member(&self) -> Option<(Name, Weak<dyn Policy>)> {
        None
    }
}

impl<D> IntoPart<D> for Absent {
    type Layer = Identity;

    fn into_part(self, _: Place, _: &mut Making<'_, D>) -> Result<Identity, ConfigError> {
        Ok(Identity::new())
    }
}

/// A layer that was told a protocol keeps it.
macro_rules! keeps {
    ($Layer:ident [$($before:ident $(: $bound:path)?),*] [$($after:ident $(: $bound2:path)?),*]) => {
        impl<Dia, Pro: $crate::pipeline::dialect::Told, $($before $(: $bound)?,)* $($after $(: $bound2)?,)*>
            $crate::pipeline::IntoPart<Dia> for $Layer<$($before,)* Pro $(, $after)*>
        {
            type Layer = Self;

            fn into_part(
                self,
                place: portcullis_core::pipeline::Place,
                making: &mut $crate::pipeline::Making<'_, Dia>,
            ) -> Result<Self, portcullis_core::ConfigError> {
                making.add(place, &self, portcullis_core::pipeline::Repeats::FromRequest);
                Ok(self)
            }
        }
    };
}

pub(super) use keeps;

/// Layers that differ by nothing but their protocol.
macro_rules! layers {
    ($($Slot:ident: $Layer:ident [$($before:ident $(: $bound:path)?),*] P [$($after:ident $(: $bound2:path)?),*];)*) => {
        $(
            impl<Pro, $($before $(: $bound)?,)* $($after $(: $bound2)?,)*> Fits<slot::$Slot>
                for $Layer<$($before,)* Pro $(, $after)*> {}

            impl<Dia: Dialect, $($before $(: $bound)?,)* $($after $(: $bound2)?,)*> IntoPart<Dia>
                for $Layer<$($before,)* Boxed $(, $after)*>
            {
                type Layer = $Layer<$($before,)* Dia $(, $after)*>;

                fn into_part(self, place: Place, making: &mut Making<'_, Dia>) -> Result<Self::Layer, ConfigError> {
                    making.add(place, &self, Repeats::Unknown);
                    Ok(self.protocol(making.dialect().clone()))
                }
            }

            keeps!($Layer [$($before $(: $bound)?),*] [$($after $(: $bound2)?),*]);
        )*
    };
}

layers! {
    Drain: DrainLayer [] P [];
    Coalesce: CoalesceLayer [K] P [];
    LoadShed: LoadShedLayer [] P [R];
    Throttle: ThrottleLayer [K: Member] P [];
    RateLimit: RateLimitLayer [] P [K: Member, C, H];
    Breaker: BreakerLayer [] P [];
    Breaker: KeyedBreakerLayer [K: Key, F] P [];
    Bulkhead: BulkheadLayer [] P [D];
    Bulkhead: KeyedBulkheadLayer [K: Key, F, D] P [];
    AdaptiveLimit: AdaptiveLimitLayer [K: Member] P [];
    Executor: ExecutorLayer [] P [];
    ThreadPool: ThreadPoolLayer [] P [];
    Chaos: ChaosLayer [C, R] P [];
}

/// Handles, and settings that become a policy with the pipeline's name.
macro_rules! handles {
    ($($Slot:ident: $Handle:ident as $Layer:ident $(or $($config:ident)::+)?;)*) => {
        $(
            impl Fits<slot::$Slot> for $Handle {}

            impl<D: Dialect> IntoPart<D> for $Handle {
                type Layer = <$Layer as IntoPart<D>>::Layer;

                fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
                    $Layer::new(self).into_part(place, making)
                }
            }

            $(
                impl Member for $($config)::+ {
                    fn member(&self) -> Option<(Name, Weak<dyn Policy>)> {
                        None
                    }
                }

                impl Fits<slot::$Slot> for $($config)::+ {}

                impl<D: Dialect> IntoPart<D> for $($config)::+ {
                    type Layer = <$Layer as IntoPart<D>>::Layer;

                    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
                        let policy = $Handle::builder(making.name().clone()).config(self).registry(making.registry());
                        policy.build()?.into_part(place, making)
                    }
                }
            )?
        )*
    };
}

handles! {
    Drain: Drain as DrainLayer or drain::Config;
    Coalesce: Coalesce as CoalesceLayer or coalesce::Config;
    LoadShed: LoadShed as LoadShedLayer or shed::Config;
    Throttle: Throttle as ThrottleLayer or throttle::Config;
    RateLimit: RateLimit as RateLimitLayer or rate::Config;
    Breaker: Breaker as BreakerLayer or breaker::Config;
    Bulkhead: Bulkhead as BulkheadLayer or bulkhead::Config;
    AdaptiveLimit: AdaptiveLimit as AdaptiveLimitLayer or adaptive::Config;
    Executor: Executor as ExecutorLayer;
    ThreadPool: ThreadPool as ThreadPoolLayer or pool::Config;
    Chaos: Chaos as ChaosLayer or chaos::Config;
}

#[cfg(feature = "http")]
impl Member for HealthLayer {
    fn member(&self) -> Option<(Name, Weak<dyn Policy>)> {
        None
    }
}

#[cfg(feature = "http")]
impl Member for Health {
    fn member(&self) -> Option<(Name, Weak<dyn Policy>)> {
        None
    }
}

#[cfg(feature = "http")]
impl Fits<slot::Health> for HealthLayer {}

#[cfg(feature = "http")]
impl Fits<slot::Health> for Health {}

#[cfg(feature = "http")]
impl<D> IntoPart<D> for HealthLayer {
    type Layer = Self;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self, ConfigError> {
        making.add(place, &self, Repeats::Unknown);
        Ok(self)
    }
}

#[cfg(feature = "http")]
impl<D> IntoPart<D> for Health {
    type Layer = HealthLayer;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<HealthLayer, ConfigError> {
        HealthLayer::new(self).into_part(place, making)
    }
}
