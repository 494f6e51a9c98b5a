//! Pipelines of clients and of servers, and what is usual for both.

use std::time::Duration;

use portcullis_core::{Name, adaptive, breaker, bulkhead, observe, pipeline::Side, shed};

use super::{Absent, Attempts, Empty, Pipeline, PipelineBuilder, Slots};
use crate::{Boxed, retry};

/// As long as most callers are ready to wait, and the default of a [`Timeout`](crate::Timeout).
pub const STANDARD_DEADLINE: Duration = Duration::from_secs(10);
/// Three attempts fit into the deadline, even if none is answered.
pub const STANDARD_ATTEMPT: Duration = Duration::from_secs(3);

/// Pipelines of calls that are made to a dependency.
#[derive(Clone, Copy, Debug)]
pub struct Client(());

/// Pipelines of calls that come from others.
#[derive(Clone, Copy, Debug)]
pub struct Server(());

/// The side of a pipeline, as a type.
pub trait OnSide {
    /// The side.
    const SIDE: Side;
}

impl OnSide for Client {
    const SIDE: Side = Side::Client;
}

impl OnSide for Server {
    const SIDE: Side = Side::Server;
}

/// What is [usual](PipelineBuilder::standard) for a client.
pub type StandardClient = PipelineBuilder<
    Client,
    Boxed,
    Slots<
        Absent,
        observe::Config,
        Absent,
        Absent,
        Absent,
        Duration,
        Absent,
        Absent,
        retry::Config,
        Absent,
        Attempts,
        Absent,
        Absent,
        breaker::Config,
        bulkhead::Config,
        Absent,
        Absent,
        Absent,
        Duration,
        Absent,
    >,
>;

/// What is [usual](PipelineBuilder::standard) for a server.
pub type StandardServer = PipelineBuilder<
    Server,
    Boxed,
    Slots<
        Absent,
        observe::Config,
        Absent,
        Absent,
        Absent,
        Duration,
        Absent,
        shed::Config,
        Absent,
        Absent,
        Absent,
        Absent,
        Absent,
        Absent,
        Absent,
        adaptive::Config,
        Absent,
        Absent,
        Absent,
        Absent,
    >,
>;

impl Pipeline<()> {
    /// A pipeline of calls that are made to a dependency.
    pub fn client(name: impl Into<Name>) -> PipelineBuilder<Client, Boxed, Empty> {
        PipelineBuilder::new(name.into())
    }

    /// A pipeline of calls that come from others.
    ///
    /// ```
    /// use portcullis::{Drain, LoadShed, Pipeline, RateLimit};
    /// use std::time::Duration;
    ///
    /// let pipeline = Pipeline::server("shop")
    ///     .deadline(Duration::from_secs(5))
    ///     .rate_limit(RateLimit::builder("shop").rate(1000, Duration::from_secs(1)).build()?)
    ///     .drain(Drain::new("shop"))
    ///     .load_shed(LoadShed::new("shop"))
    ///     .http_server()
    ///     .build()?;
    /// let order: Vec<_> = pipeline.explain().order.iter().map(|step| step.place.as_str()).collect();
    /// assert_eq!(order, ["drain", "deadline", "load_shed", "rate_limit"]);
    /// # Ok::<(), portcullis::BoxError>(())
    /// ```
    pub fn server(name: impl Into<Name>) -> PipelineBuilder<Server, Boxed, Empty> {
        PipelineBuilder::new(name.into())
    }
}

impl PipelineBuilder<Client, Boxed, Empty> {
    /// What is usual for a client: an observer, a deadline of [10 s](STANDARD_DEADLINE), a retry, a breaker and a bulkhead
    /// with their defaults, and [3 s](STANDARD_ATTEMPT) for an attempt. Each of them can be given after it, in place of this.
    ///
    /// ```
    /// use portcullis::Pipeline;
    /// use std::time::Duration;
    ///
    /// let pipeline = Pipeline::client("inventory").standard().deadline(Duration::from_secs(5)).build()?;
    /// assert_eq!(pipeline.explain().latency.call, Some(Duration::from_secs(5)));
    /// # Ok::<(), portcullis::pipeline::PipelineError>(())
    /// ```
    pub fn standard(self) -> StandardClient {
        self.filled(|slots| Slots {
            observe: observe::Config::default(),
            deadline: STANDARD_DEADLINE,
            attempts: Attempts(()),
            retry: retry::Config::default(),
            breaker: breaker::Config::default(),
            bulkhead: bulkhead::Config::default(),
            attempt_timeout: STANDARD_ATTEMPT,
            health: slots.health,
            drain: slots.drain,
            fallback: slots.fallback,
            cache: slots.cache,
            coalesce: slots.coalesce,
            load_shed: slots.load_shed,
            hedge: slots.hedge,
            throttle: slots.throttle,
            rate_limit: slots.rate_limit,
            adaptive_limit: slots.adaptive_limit,
            executor: slots.executor,
            thread_pool: slots.thread_pool,
            chaos: slots.chaos,
        })
    }
}

impl PipelineBuilder<Server, Boxed, Empty> {
    /// What is usual for a server: an observer, a deadline of [10 s](STANDARD_DEADLINE), load shedding and an adaptive
    /// limit with their defaults. Each of them can be given after it, in place of this.
    ///
    /// ```
    /// use portcullis::{Drain, Health, Pipeline, Registry};
    ///
    /// let pipeline = Pipeline::server("shop")
    ///     .standard()
    ///     .health(Health::new(Registry::global()))
    ///     .drain(Drain::new("shop"))
    ///     .http_server()
    ///     .build()?;
    /// # Ok::<(), portcullis::pipeline::PipelineError>(())
    /// ```
    pub fn standard(self) -> StandardServer {
        self.filled(|slots| Slots {
            observe: observe::Config::default(),
            deadline: STANDARD_DEADLINE,
            attempts: slots.attempts,
            load_shed: shed::Config::default(),
            adaptive_limit: adaptive::Config::default(),
            health: slots.health,
            drain: slots.drain,
            fallback: slots.fallback,
            cache: slots.cache,
            coalesce: slots.coalesce,
            retry: slots.retry,
            hedge: slots.hedge,
            throttle: slots.throttle,
            rate_limit: slots.rate_limit,
            breaker: slots.breaker,
            bulkhead: slots.bulkhead,
            executor: slots.executor,
            thread_pool: slots.thread_pool,
            attempt_timeout: slots.attempt_timeout,
            chaos: slots.chaos,
        })
    }
}
