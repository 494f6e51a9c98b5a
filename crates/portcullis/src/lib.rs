//! Tower layers that keep services up when what they depend on fails.
//!
//! A **policy** ([`Breaker`], [`RetryPolicy`], [`Bulkhead`], [`Timeout`], …) is the shared, named state of one
//! pattern: a cheap handle, made once. A **layer** puts a policy into a tower stack, and a
//! [protocol] tells the layer how to read results and how to refuse in its own name: as an
//! error, or as an HTTP or gRPC response.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{Breaker, BreakerLayer, BoxError, Timeout, TimeoutLayer};
//! use std::time::Duration;
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! let breaker = Breaker::new("inventory");
//! let timeout = Timeout::total("inventory", Duration::from_secs(1))?;
//!
//! let mut service = ServiceBuilder::new()
//!     .layer(TimeoutLayer::new(timeout))
//!     .layer(BreakerLayer::new(breaker.clone()))
//!     .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n + 1) }));
//!
//! assert_eq!(service.ready().await?.call(1).await?, 2);
//! assert_eq!(breaker.status().successes, 1);
//! # Ok(()) }
//! ```
//!
//! # Order
//!
//! From outside: total timeout, retry, breaker, bulkhead, attempt timeout. The breaker then sees every
//! attempt and none of the bulkhead's refusals count against the dependency; retries stop when the
//! breaker opens.
//!
//! A [`Pipeline`](pipeline) takes policies in any order, puts each where it belongs, refuses what cannot be right, and
//! explains what comes out:
//!
//! ```
//! let pipeline = portcullis::Pipeline::client("inventory").standard().http_client().build()?;
//! println!("{}", pipeline.explain());
//! # Ok::<(), portcullis::pipeline::PipelineError>(())
//! ```
//!
//! With everything there is:
//!
//! - On a **server**: health, drain, cache, deadline, load shedding, rate limit, bulkhead, adaptive limit. Health answers its paths
//!   itself, so that no other layer sees them; other paths that must not be refused are
//!   [exempt](LoadShedLayer::exempt) from load shedding, and from the rest by routes without those layers.
//! - On a **client**: fallback or failover, cache, deadline, retry, hedge, throttle, rate limit, breaker, bulkhead or
//!   adaptive limit, attempt timeout, chaos. A fallback outside of the deadline answers also when the time is over; each provider of a
//!   failover is a stack of its own, and a deadline for all of them is outside of it.
//!   A probe's layer goes below all that refuses, first of all below the breaker that it drives.
//! - On **both**: coalescing right inside of the deadline, outside of all that guards the dependency; an executor inside
//!   of all that admits, so that only what is admitted runs elsewhere. An [observer](observe) outside of all but health, and
//!   on a client once more right inside of the retry and the hedge, for the attempts.
//!
//! # What all layers keep
//!
//! - State belongs to the policy: layering a service again, cloning it, or accepting a new connection
//!   starts nothing anew.
//! - Refusals come from `call`, never from `poll_ready`.
//! - A call that is dropped at any point leaves nothing behind.
//! - On the way through, nothing is locked, boxed or allocated; only a retry copies what it may have to
//!   send again.
//!
//! # Features
//!
//! - `http` (on by default): the protocols for everything that speaks `http`, and the health layer.
//! - `hyper`: reads from the errors of hyper, hyper-util and h2 whether a request was sent, so that more of
//!   them can be retried. For hyper and tonic clients.
//! - `grpc-details`: reads google.rpc.RetryInfo from the details of a gRPC status, by which many services say
//!   when to call again.
//! - `checks`: ready-made health [checks](check) of sockets, disks and memory, and with `hyper` of an HTTP address.
//! - `cache`: keeps answers for calls of the same key; see the module `cache`.
//! - `metrics`: shows every policy through the `metrics` facade; see [`metrics`].
//! - `prometheus`: the same, with the recorder and the answer to scrapes.
//! - `tracing`: tells state changes and refusals through `tracing`, see the module `trace`; and lets an [observer](observe)
//!   make spans of calls and attempts.
//! - `restart`: what policies have found out, [from one process to the next](restart).
//! - `schema`: a JSON Schema of the settings, in [`config::schema`], for editors.
//! - `serde`: settings from files, in the module `config`.
//! - `signal`: begins a [drain] when the process is told to end.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod adaptive;
mod alarm;
mod apart;
pub mod balance;
pub mod breaker;
mod budget;
pub mod bulkhead;
#[cfg(feature = "cache")]
pub mod cache;
mod carried;
pub mod chaos;
pub mod check;
pub mod clock;
pub mod coalesce;
#[cfg(feature = "serde")]
pub mod config;
mod current;
pub mod deadline;
mod dice;
pub mod drain;
pub mod event;
pub mod executor;
pub mod fallback;
mod flight;
#[cfg(feature = "http")]
pub mod health;
pub mod hedge;
pub mod keyed;
mod late;
mod lead;
mod live;
pub mod metrics;
pub mod monitor;
pub mod observe;
mod oneshot;
mod parked;
pub mod pipeline;
pub mod pool;
#[cfg(feature = "http")]
mod priority;
pub mod probe;
pub mod protocol;
pub mod rate;
pub mod reconnect;
pub mod registry;
pub mod replay;
pub mod restart;
pub mod retry;
#[cfg(feature = "http")]
pub mod service_config;
mod shard;
pub mod share;
pub mod shed;
pub mod throttle;
pub mod timeout;
#[cfg(feature = "tracing")]
pub mod trace;
mod turn;

pub use portcullis_core::{
    BreakerEvidence, ConfigError, Delivery, Failure, FailureKind, GrpcCode, GrpcCodes, Mode, Name, Overload,
    PolicyKind, Priority, Reason, Rejection, Severity, Time, TimeoutScope, UnknownPriority, Verdict,
    health::Level,
};

#[cfg(feature = "cache")]
pub use cache::{Cache, CacheLayer};
#[cfg(feature = "http")]
pub use health::{Health, HealthLayer};
#[cfg(feature = "http")]
pub use protocol::{Grpc, HttpClient, HttpServer};
#[cfg(feature = "http")]
pub use retry::peek::PeekLayer;
#[cfg(feature = "http")]
pub use service_config::{ServiceConfig, ServiceConfigLayer};
pub use {
    adaptive::{AdaptiveLimit, AdaptiveLimitLayer, KeyedAdaptiveLimit},
    balance::{Balance, Endpoints, Outliers},
    breaker::{Breaker, BreakerLayer, KeyedBreaker, KeyedBreakerLayer},
    bulkhead::{Bulkhead, BulkheadLayer, KeyedBulkhead, KeyedBulkheadLayer},
    chaos::{Chaos, ChaosLayer},
    coalesce::{Coalesce, CoalesceLayer},
    deadline::DeadlineLayer,
    drain::{Drain, DrainLayer},
    executor::{Executor, ExecutorLayer},
    fallback::{Fallback, FallbackLayer},
    hedge::{Hedge, HedgeLayer, KeyedHedge},
    monitor::HealthMonitor,
    observe::{ObserveLayer, Observer},
    pipeline::Pipeline,
    pool::{ThreadPool, ThreadPoolLayer},
    probe::{Probe, ProbeLayer},
    protocol::{Boxed, FromRejection, Protocol, Ticket, Typed},
    rate::{KeyedRateLimit, RateLimit, RateLimitLayer},
    reconnect::Reconnect,
    registry::Registry,
    retry::{KeyedRetry, RetryBudget, RetryLayer, RetryPolicy},
    shed::{LoadShed, LoadShedLayer},
    throttle::{KeyedThrottle, Throttle, ThrottleLayer},
    timeout::{Timeout, TimeoutLayer},
};

/// Any error, as tower's own layers have it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
