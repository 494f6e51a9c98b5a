//! The two timeouts of a pipeline, and the deadline that is told.

use std::{sync::Weak, time::Duration};

use portcullis_core::{
    ConfigError, Name, TimeoutScope,
    pipeline::{Place, Repeats},
    timeout::Config,
};

use super::{Dialect, Fits, IntoPart, Making, accepts::keeps, slot};
use crate::{
    Boxed, DeadlineLayer, Timeout, TimeoutLayer,
    deadline::Nothing,
    registry::{Member, Policy},
    timeout::ByRequest,
};

impl Member for Duration {
    fn member(&self) -> Option<(Name, Weak<dyn Policy>)> {
        None
    }
}

impl Member for Config {
    fn member(&self) -> Option<(Name, Weak<dyn Policy>)> {
        None
    }
}

macro_rules! fits {
    ($([$($generic:ident)*] $Given:ty;)*) => {
        $(
            impl<$($generic),*> Fits<slot::Deadline> for $Given {}
            impl<$($generic),*> Fits<slot::AttemptTimeout> for $Given {}
        )*
    };
}

fits! {
    [] Duration;
    [] Config;
    [] Timeout;
    [P] TimeoutLayer<P>;
    [L P] ByRequest<L, P>;
}

impl<C, P> Fits<slot::Deadline> for DeadlineLayer<C, P> {}

impl<D: Dialect> IntoPart<D> for Duration {
    type Layer = TimeoutLayer<D>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        Config::from(self).into_part(place, making)
    }
}

impl<D: Dialect> IntoPart<D> for Config {
    type Layer = TimeoutLayer<D>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        let scope = if place == Place::AttemptTimeout { TimeoutScope::Attempt } else { TimeoutScope::Total };
        let timeout =
            Timeout::builder(making.name().clone(), self).scope(scope).registry(making.registry()).build()?;
        timeout.into_part(place, making)
    }
}

impl<D: Dialect> IntoPart<D> for Timeout {
    type Layer = TimeoutLayer<D>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        TimeoutLayer::new(self).into_part(place, making)
    }
}

impl<D: Dialect> IntoPart<D> for TimeoutLayer<Boxed> {
    type Layer = TimeoutLayer<D>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        making.add(place, &self, Repeats::Unknown);
        Ok(self.protocol(making.dialect().clone()))
    }
}

impl<D: Dialect, L> IntoPart<D> for ByRequest<L, Boxed> {
    type Layer = ByRequest<L, D>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        making.add(place, &self, Repeats::Unknown);
        Ok(self.protocol(making.dialect().clone()))
    }
}

impl<D: Dialect> IntoPart<D> for DeadlineLayer<Nothing, Boxed> {
    type Layer = DeadlineLayer<D::Carry, D>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        making.add(place, &self, Repeats::Unknown);
        let dialect = making.dialect();
        Ok(self.carry(dialect.carry()).protocol(dialect.clone()))
    }
}

keeps!(TimeoutLayer [] []);
keeps!(ByRequest [L] []);
keeps!(DeadlineLayer [C] []);
