//! Policies that may be there or not, which only the running program knows.

use std::sync::Weak;

use portcullis_core::{ConfigError, Mode, Name, pipeline::Place, timeout};

use super::{Fits, IntoPart, Making};
use crate::{
    AdaptiveLimit, Breaker, Bulkhead, Chaos, Hedge, LoadShed, Observer, RateLimit, Registry, RetryBudget,
    RetryPolicy, Throttle, Timeout,
    registry::{Member, Policy},
};

/// A policy that can be there and do nothing.
///
/// So an `Option` of its handle fits its place: with `None` there is a policy that is [disabled](Mode::Disabled), which
/// nobody sees. The pipeline's type is the same then, whatever a file said of it, and nothing needs a box. It costs what a
/// disabled policy costs.
///
/// ```
/// use portcullis::{Breaker, Pipeline};
/// use std::time::Duration;
///
/// # for wanted in [true, false] {
/// let breaker = wanted.then(|| Breaker::new("inventory"));
/// let pipeline = Pipeline::client("inventory").deadline(Duration::from_secs(1)).breaker(breaker).build()?;
/// assert_eq!(pipeline.explain().order.len(), if wanted { 2 } else { 1 });
/// # }
/// # Ok::<(), portcullis::pipeline::PipelineError>(())
/// ```
pub trait Idle: Sized {
    /// One that does nothing, in a registry of its own.
    ///
    /// # Errors
    ///
    /// None, for settings that are right.
    fn idle(name: &Name) -> Result<Self, ConfigError>;
}

macro_rules! idle {
    ($($Handle:ident)*) => {
        $(
            impl Idle for $Handle {
                fn idle(name: &Name) -> Result<Self, ConfigError> {
                    $Handle::builder(name.clone()).mode(Mode::Disabled).registry(&Registry::new()).build()
                }
            }
        )*
    };
}

idle!(AdaptiveLimit Breaker Bulkhead Hedge LoadShed RateLimit RetryPolicy Throttle);

impl Idle for Timeout {
    fn idle(name: &Name) -> Result<Self, ConfigError> {
        let config = timeout::Config { mode: Mode::Disabled, ..timeout::Config::default() };
        Self::builder(name.clone(), config).registry(&Registry::new()).build()
    }
}

impl Idle for Observer {
    fn idle(name: &Name) -> Result<Self, ConfigError> {
        Self::builder(name.clone()).enabled(false).registry(&Registry::new()).build()
    }
}

/// Off, as chaos is until somebody turns it on.
impl Idle for Chaos {
    fn idle(name: &Name) -> Result<Self, ConfigError> {
        Self::builder(name.clone()).registry(&Registry::new()).build()
    }
}

impl<H: Member> Member for Option<H> {
    fn member(&self) -> Option<(Name, Weak<dyn Policy>)> {
        self.as_ref().and_then(Member::member)
    }

    fn budget(&self) -> Option<RetryBudget> {
        self.as_ref().and_then(Member::budget)
    }

    fn can_be_replaced(&self) -> bool {
        true
    }
}

impl<Slot, H: Fits<Slot>> Fits<Slot> for Option<H> {}

impl<D, H: Idle + IntoPart<D>> IntoPart<D> for Option<H> {
    type Layer = H::Layer;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        match self {
            Some(given) => given.into_part(place, making),
            // Nobody is told of what is not there.
            None => H::idle(making.name())?.into_part(place, &mut making.aside()),
        }
    }
}
