//! The observer, which has two places in the pipeline of a client.

use std::sync::Weak;

use portcullis_core::{
    ConfigError, Name,
    observe::Config,
    pipeline::{Place, Repeats},
};

use super::{Client, Dialect, Fits, Idle, IntoPart, Making, PipelineBuilder, Server, Slots, Told, slot};
use crate::{
    Boxed, ObserveLayer, Observer,
    registry::{Member, Policy},
};

/// The attempts of what a pipeline's observer sees.
#[derive(Clone, Copy, Debug)]
pub struct Attempts(pub(super) ());

impl Member for Attempts {
    fn member(&self) -> Option<(Name, Weak<dyn Policy>)> {
        None
    }
}

impl<D: Dialect> IntoPart<D> for Attempts {
    type Layer = ObserveLayer<D>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        let observer = match making.observer() {
            Some(observer) => {
                making.add(place, &observer, Repeats::Unknown);
                observer
            }
            // Nobody is told of what is not there.
            None => Observer::idle(making.name())?,
        };
        Ok(ObserveLayer::attempts(observer).protocol(making.dialect().clone()))
    }
}

impl Fits<slot::Observe> for Observer {}
impl Fits<slot::Observe> for Config {}
impl<P> Fits<slot::Observe> for ObserveLayer<P> {}

impl Member for Config {
    fn member(&self) -> Option<(Name, Weak<dyn Policy>)> {
        None
    }
}

impl<D: Dialect> IntoPart<D> for Observer {
    type Layer = ObserveLayer<D>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        ObserveLayer::calls(self).into_part(place, making)
    }
}

impl<D: Dialect> IntoPart<D> for Config {
    type Layer = ObserveLayer<D>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        let observer = Observer::builder(making.name().clone()).config(self).registry(making.registry());
        observer.build()?.into_part(place, making)
    }
}

impl<D: Dialect> IntoPart<D> for ObserveLayer<Boxed> {
    type Layer = ObserveLayer<D>;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self::Layer, ConfigError> {
        making.add(place, &self, Repeats::Unknown);
        making.observe(self.observer());
        Ok(self.protocol(making.dialect().clone()))
    }
}

impl<D, P: Told> IntoPart<D> for ObserveLayer<P> {
    type Layer = Self;

    fn into_part(self, place: Place, making: &mut Making<'_, D>) -> Result<Self, ConfigError> {
        making.add(place, &self, Repeats::Unknown);
        making.observe(self.observer());
        Ok(self)
    }
}

impl<D, He, Ob, Dr, Fa, Ca, De, Co, Ls, Re, Hg, As, Th, Ra, Br, Bu, Al, Ex, Tp, At, Ch>
    PipelineBuilder<
        Client,
        D,
        Slots<He, Ob, Dr, Fa, Ca, De, Co, Ls, Re, Hg, As, Th, Ra, Br, Bu, Al, Ex, Tp, At, Ch>,
    >
{
    /// Spans, counts and durations of calls, outside of all, and of their attempts, right inside of the retry and the
    /// hedge: an `Observer`, its layer of calls or its settings.
    ///
    /// ```
    /// use portcullis::{Observer, Pipeline, RetryPolicy};
    ///
    /// let observer = Observer::new("inventory");
    /// let pipeline = Pipeline::client("inventory")
    ///     .retry(RetryPolicy::new("inventory"))
    ///     .observe(observer.clone())
    ///     .http_client()
    ///     .build()?;
    /// let order: Vec<_> = pipeline.explain().order.iter().map(|step| step.place.as_str()).collect();
    /// assert_eq!(order, ["observe", "retry", "attempts"]);
    /// # Ok::<(), portcullis::pipeline::PipelineError>(())
    /// ```
    #[expect(clippy::type_complexity, reason = "a place for each policy")]
    pub fn observe<New: Fits<slot::Observe>>(
        mut self,
        observe: New,
    ) -> PipelineBuilder<
        Client,
        D,
        Slots<He, New, Dr, Fa, Ca, De, Co, Ls, Re, Hg, Attempts, Th, Ra, Br, Bu, Al, Ex, Tp, At, Ch>,
    > {
        self.observes(&observe);
        self.filled(|slots| slots.observed(observe, |_| Attempts(())))
    }
}

impl<D, He, Ob, Dr, Fa, Ca, De, Co, Ls, Re, Hg, As, Th, Ra, Br, Bu, Al, Ex, Tp, At, Ch>
    PipelineBuilder<
        Server,
        D,
        Slots<He, Ob, Dr, Fa, Ca, De, Co, Ls, Re, Hg, As, Th, Ra, Br, Bu, Al, Ex, Tp, At, Ch>,
    >
{
    /// Spans, counts and durations of calls, outside of all but health: an `Observer`, its layer of calls or its
    /// settings.
    #[expect(clippy::type_complexity, reason = "a place for each policy")]
    pub fn observe<New: Fits<slot::Observe>>(
        mut self,
        observe: New,
    ) -> PipelineBuilder<
        Server,
        D,
        Slots<He, New, Dr, Fa, Ca, De, Co, Ls, Re, Hg, As, Th, Ra, Br, Bu, Al, Ex, Tp, At, Ch>,
    > {
        self.observes(&observe);
        self.filled(|slots| slots.observed(observe, |attempts| attempts))
    }
}

impl<Si, D, Sl> PipelineBuilder<Si, D, Sl> {
    fn observes(&mut self, observe: &impl Member) {
        if !observe.can_be_replaced() {
            self.given.push((Place::Observe, observe.member().map(|(name, _)| name)));
        }
    }
}

impl<He, Ob, Dr, Fa, Ca, De, Co, Ls, Re, Hg, As, Th, Ra, Br, Bu, Al, Ex, Tp, At, Ch>
    Slots<He, Ob, Dr, Fa, Ca, De, Co, Ls, Re, Hg, As, Th, Ra, Br, Bu, Al, Ex, Tp, At, Ch>
{
    #[expect(clippy::type_complexity, reason = "a place for each policy")]
    fn observed<NewOb, NewAs>(
        self,
        observe: NewOb,
        attempts: impl FnOnce(As) -> NewAs,
    ) -> Slots<He, NewOb, Dr, Fa, Ca, De, Co, Ls, Re, Hg, NewAs, Th, Ra, Br, Bu, Al, Ex, Tp, At, Ch> {
        Slots {
            observe,
            attempts: attempts(self.attempts),
            health: self.health,
            drain: self.drain,
            fallback: self.fallback,
            cache: self.cache,
            deadline: self.deadline,
            coalesce: self.coalesce,
            load_shed: self.load_shed,
            retry: self.retry,
            hedge: self.hedge,
            throttle: self.throttle,
            rate_limit: self.rate_limit,
            breaker: self.breaker,
            bulkhead: self.bulkhead,
            adaptive_limit: self.adaptive_limit,
            executor: self.executor,
            thread_pool: self.thread_pool,
            attempt_timeout: self.attempt_timeout,
            chaos: self.chaos,
        }
    }
}
