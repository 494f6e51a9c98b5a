//! A pipeline in the making.

use std::marker::PhantomData;

use portcullis_core::{
    Name,
    pipeline::{Named, Place, Wrong, check},
};

use super::{Dialect, Empty, Fits, IntoLayers, Making, OnSide, Pipeline, PipelineError, Plan, Slots, slot};
use crate::{Boxed, Registry, Typed};
#[cfg(feature = "http")]
use crate::{Grpc, HttpClient, HttpServer};

/// A pipeline in the making. Policies come in any order.
///
/// A place takes a policy's handle, its settings, or its layer. Settings become a policy with the pipeline's name, in its
/// registry; retries and hedges made from settings share one budget.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct PipelineBuilder<Si, D, Sl> {
    name: Name,
    registry: Registry,
    dialect: D,
    slots: Sl,
    /// What was given for which place, to tell of two for one.
    pub(super) given: Vec<(Place, Option<Name>)>,
    side: PhantomData<fn() -> Si>,
}

impl<Si> PipelineBuilder<Si, Boxed, Empty> {
    pub(super) fn new(name: Name) -> Self {
        let (registry, dialect) = (Registry::global().clone(), Boxed::default());
        Self { name, registry, dialect, slots: Empty::EMPTY, given: Vec::new(), side: PhantomData }
    }
}

impl<Si, D, Sl> PipelineBuilder<Si, D, Sl> {
    /// Speaks this protocol. Layers that were told one of their own keep it.
    pub fn protocol<E: Dialect>(self, dialect: E) -> PipelineBuilder<Si, E, Sl> {
        let Self { name, registry, slots, given, side, .. } = self;
        PipelineBuilder { name, registry, dialect, slots, given, side }
    }

    /// For services with an error of their own.
    pub fn typed(self) -> PipelineBuilder<Si, Typed, Sl> {
        self.protocol(Typed::default())
    }

    /// Joins this registry, and so do policies made from settings (default: the global one).
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    pub(super) fn filled<T>(self, fill: impl FnOnce(Sl) -> T) -> PipelineBuilder<Si, D, T> {
        let Self { name, registry, dialect, slots, given, side } = self;
        PipelineBuilder { name, registry, dialect, slots: fill(slots), given, side }
    }

    /// Puts each policy at its place.
    ///
    /// # Errors
    ///
    /// Settings outside their range, and policies that do not go together.
    pub fn build(self) -> Result<Pipeline<Sl::Layers>, PipelineError>
    where
        Si: OnSide,
        Sl: IntoLayers<D>,
    {
        self.check_once()?;
        let mut making = Making::new(&self.name, &self.registry, &self.dialect);
        let layers = self.slots.into_layers(&mut making)?;
        let plan = Plan::new(self.name.clone(), Si::SIDE, making.into_members());
        check(Si::SIDE, &plan.parts())?;
        self.registry.kept_pipelines().join(&plan);
        Ok(Pipeline::new(layers, plan))
    }

    /// What was given last is in the slots, and what it replaced is gone: so this is asked of what was given.
    fn check_once(&self) -> Result<(), Wrong> {
        let named = |(place, name): &(Place, Option<Name>)| Named {
            place: *place,
            name: name.clone().unwrap_or_else(|| self.name.clone()),
        };
        for (n, first) in self.given.iter().enumerate() {
            if let Some(second) = self.given[n + 1..].iter().find(|second| second.0 == first.0) {
                return Err(Wrong::Twice(named(first), named(second)));
            }
        }
        Ok(())
    }
}

#[cfg(feature = "http")]
impl<Si, D, Sl> PipelineBuilder<Si, D, Sl> {
    /// For everything that answers HTTP requests: axum routers, hyper servers. Refusals are responses.
    pub fn http_server(self) -> PipelineBuilder<Si, HttpServer, Sl> {
        self.protocol(HttpServer::default())
    }

    /// For everything that makes HTTP requests: hyper-util's client, `portcullis-reqwest`.
    pub fn http_client(self) -> PipelineBuilder<Si, HttpClient, Sl> {
        self.protocol(HttpClient::default())
    }

    /// For clients and servers of tonic.
    pub fn grpc(self) -> PipelineBuilder<Si, Grpc, Sl> {
        self.protocol(Grpc::default())
    }
}

macro_rules! setters {
    ([$($b:ident $bT:ident)*]) => {};
    // These two are given together; see the module `observed`.
    ([$($b:ident $bT:ident)*] $f:ident $T:ident Observed $doc:literal; $($rest:tt)*) => {
        setters!([$($b $bT)* $f $T] $($rest)*);
    };
    ([$($b:ident $bT:ident)*] $f:ident $T:ident $Place:ident $doc:literal; $($a:ident $aT:ident $aPlace:ident $adoc:literal;)*) => {
        impl<Si, Dia, $($bT,)* $T, $($aT,)*> PipelineBuilder<Si, Dia, Slots<$($bT,)* $T, $($aT,)*>> {
            #[doc = $doc]
            pub fn $f<New>(mut self, $f: New) -> PipelineBuilder<Si, Dia, Slots<$($bT,)* New, $($aT,)*>>
            where
                New: Fits<slot::$Place>,
            {
                if !$f.can_be_replaced() {
                    self.given.push((Place::$Place, $f.member().map(|(name, _)| name)));
                }
                self.filled(|Slots { $($b,)* $f: _, $($a,)* }| Slots { $($b,)* $f, $($a,)* })
            }
        }

        setters!([$($b $bT)* $f $T] $($a $aT $aPlace $adoc;)*);
    };
}

setters! { []
    health He Health "Answers about the health of the server: a `Health` or its layer. For servers.";
    observe Ob Observed "";
    drain Dr Drain "Ends the server without failed calls: a `Drain`, its layer or its settings. For servers.";
    fallback Fa Fallback "Something else in place of calls that failed: a layer, which knows what.";
    cache Ca Cache "Keeps answers: a layer, which knows the keys. With the feature `cache`.";
    deadline De Deadline "The time that the whole call has: a `Duration`, a `Timeout`, its layer or settings, or a \
        `DeadlineLayer`, which tells others of it.";
    coalesce Co Coalesce "Makes calls once for all who want the same: a layer, which knows the keys.";
    load_shed Ls LoadShed "Refuses what the server has no time for: a `LoadShed`, its layer or its settings. For servers.";
    retry Re Retry "Attempts after one that failed: a `RetryPolicy`, its layer or its settings. For clients.";
    hedge Hg Hedge "Attempts beside one that is late: a `Hedge`, its layer or its settings. With a retry it has to share \
        the retry's budget. For clients.";
    attempts As Observed "";
    throttle Th Throttle "Holds back what the dependency would refuse: a `Throttle`, its layer or its settings. For clients.";
    rate_limit Ra RateLimit "A limit on calls in a time: a `RateLimit`, its layer or its settings.";
    breaker Br Breaker "A circuit breaker: a `Breaker`, its layer, that of a `KeyedBreaker`, or its settings. For clients.";
    bulkhead Bu Bulkhead "A limit on calls in flight: a `Bulkhead`, its layer, that of a `KeyedBulkhead`, or its settings.";
    adaptive_limit Al AdaptiveLimit "A limit on calls in flight that finds itself: an `AdaptiveLimit`, its layer or its settings.";
    executor Ex Executor "A runtime that calls run on: an `Executor` or its layer.";
    thread_pool Tp ThreadPool "Threads of their own: a `ThreadPool`, its layer or its settings.";
    attempt_timeout At AttemptTimeout "The time that one attempt has: a `Duration`, a `Timeout`, its layer or its settings. \
        For clients.";
    chaos Ch Chaos "Faults on purpose: a `Chaos`, its layer or its settings.";
}
