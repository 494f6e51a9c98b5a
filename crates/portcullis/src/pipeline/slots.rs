//! What stands at each place of a pipeline that is being built, as types: what is absent costs nothing.

use portcullis_core::{ConfigError, pipeline::Place};

use super::{Absent, IntoPart, Making};

/// The layers of these parts.
pub trait IntoLayers<D> {
    /// The layers, nested from the outside to the inside.
    type Layers;

    /// The layers, of which the outer ones are made first.
    ///
    /// # Errors
    ///
    /// Settings outside their range.
    fn into_layers(self, making: &mut Making<'_, D>) -> Result<Self::Layers, ConfigError>;
}

macro_rules! slots {
    ($(($($field:ident $T:ident $Place:ident),+))+) => {
        /// What stands at each [`Place`], from the outside to the inside; [`Absent`] where nothing does.
        #[derive(Clone, Copy, Debug)]
        pub struct Slots<$($($T,)+)+> {
            $($(pub(super) $field: $T,)+)+
        }

        impl Slots<$($(slots!(@absent $T),)+)+> {
            /// Nothing anywhere.
            pub(super) const EMPTY: Self = Self { $($($field: Absent,)+)+ };
        }

        /// Nothing anywhere.
        pub type Empty = Slots<$($(slots!(@absent $T),)+)+>;

        impl<D, $($($T: IntoPart<D>,)+)+> IntoLayers<D> for Slots<$($($T,)+)+> {
            type Layers = ($(($($T::Layer,)+),)+);

            fn into_layers(self, making: &mut Making<'_, D>) -> Result<Self::Layers, ConfigError> {
                Ok(($(($(self.$field.into_part(Place::$Place, making)?,)+),)+))
            }
        }
    };
    (@absent $T:ident) => { Absent };
}

// In the order of the places. Three tuples, because a tuple of layers has no more than sixteen.
slots! {
    (health He Health, observe Ob Observe, drain Dr Drain, fallback Fa Fallback, cache Ca Cache, deadline De Deadline, coalesce Co Coalesce,
     load_shed Ls LoadShed)
    (retry Re Retry, hedge Hg Hedge, attempts As Attempts, throttle Th Throttle, rate_limit Ra RateLimit, breaker Br Breaker)
    (bulkhead Bu Bulkhead, adaptive_limit Al AdaptiveLimit, executor Ex Executor, thread_pool Tp ThreadPool,
     attempt_timeout At AttemptTimeout, chaos Ch Chaos)
}
