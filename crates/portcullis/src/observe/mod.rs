//! The observer: a span for each call and each of its attempts, how they ended, and how long they took.
//!
//! Use one for every dependency, and for every server: what others show are single policies, and this is what callers
//! see. It differs from `tower_http`'s `TraceLayer` by knowing attempts from calls, and refusals of this library from
//! failures: the span of a refused call has the whole decision, by which policy and which measured values. It refuses
//! nothing, and changes nothing.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, Breaker, BreakerLayer, ObserveLayer, Observer, RetryLayer, RetryPolicy};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let observer = Observer::new("inventory");
//! let service = ServiceBuilder::new()
//!     .layer(ObserveLayer::calls(observer.clone()))
//!     .layer(RetryLayer::new(RetryPolicy::new("inventory")))
//!     .layer(ObserveLayer::attempts(observer.clone()))
//!     .layer(BreakerLayer::new(Breaker::new("inventory")))
//!     .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n + 1) }));
//!
//! assert_eq!(service.oneshot(1).await?, 2);
//! assert_eq!((observer.status().calls.successes, observer.status().attempts.successes), (1, 1));
//! # Ok(()) }
//! ```
//!
//! A [pipeline](crate::pipeline) puts both layers at their places: `Pipeline::client("inventory").observe(observer)`.
//!
//! # Spans
//!
//! With the feature `tracing`, and a subscriber that wants the level `INFO` of the target `portcullis`, a call has the
//! span `call`, and each of its attempts the span `attempt` within it. The span `call` is within the one that is current
//! when the call is made. Both are entered while the service below runs and its future is dropped, and while the body of
//! its response is read, or is dropped before its end, so that whatever is logged meanwhile stands inside; they close when
//! the body has ended. What runs elsewhere, on a [pool of threads](crate::pool) or by an [executor](crate::executor), takes
//! its span along. Two lines set it up: a
//! subscriber, and the [events](crate::event) of refusals, retries and hedges, which then stand inside of the spans, too:
//!
//! ```
//! # #[cfg(feature = "tracing")] {
//! tracing_subscriber::fmt().init();
//! portcullis::trace::install(portcullis::Registry::global(), portcullis::event::Interest::All).detach();
//! # }
//! ```
//!
//! | field | of | is |
//! |---|---|---|
//! | `policy` | both | the observer's name |
//! | `request` | both | the path, where there is one: of gRPC the method |
//! | `attempt` | `attempt` | its number, from 1, where requests tell it, as those of HTTP do |
//! | `after` | `attempt` | the kind of failure that it was made for |
//! | `hedge` | `attempt` | true for one beside others |
//! | `outcome` | both | `success`, `failure`, `ignored`, `rejected`, `abandoned` (dropped before it had ended) |
//! | `failure` | both | the [kind](crate::FailureKind) of failure |
//! | `status`, `grpc_status` | both | of the head of the answer |
//! | `duration_ms` | both | when durations are measured |
//! | `refused_by`, `refused_kind`, `reason`, `retry_after_ms` | both | the policy that refused, why, and when to come back |
//! | `state`, `rule`, `limit`, `failure_ratio`, `slow`, `calls`, `last_failure` | both | what a breaker knew that refused |
//! | `detail` | both | what another policy measured that refused |
//! | `otel.status_code` | both | `ERROR` for what failed or was refused |
//!
//! Without a subscriber a call costs one load and one comparison for that.
//!
//! # OpenTelemetry
//!
//! The crate `tracing-opentelemetry` makes traces of these spans, with all their fields as attributes; `otel.status_code`
//! is a word of its own that marks spans as failed. It is a layer of the subscriber, and nothing here has to know of it:
//!
//! ```text
//! let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().with_batch_exporter(exporter).build();
//! tracing_subscriber::registry()
//!     .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("shop")))
//!     .with(tracing_subscriber::fmt::layer())
//!     .init();
//! ```
//!
//! To send the trace along, write its context into the request's headers in a layer below that of the attempts: there
//! the span of the attempt is the current one.
//!
//! # Counts and durations
//!
//! How calls ended is counted in any case, by one addition to a counter of the thread's own: it is shown as
//! `portcullis_calls_total` with the `kind`s `call` and `attempt`, and those that run as
//! `portcullis_calls_in_flight`. With [`durations`](ObserverBuilder::durations) what succeeds, fails or says nothing is
//! shown as the histogram `portcullis_call_duration_seconds`, until the end of its body, and percentiles of the last
//! minute are in the [status](Observer::status) and in snapshots. That reads the clock twice for each, so it is off by
//! default.
//!
//! # Cancellation
//!
//! A call that is dropped is abandoned, and its span closes with that. A panic is a failure of the kind `panic`, and goes
//! on its way.

mod builder;
mod by_hand;
mod future;
mod layer;
mod measure;
mod policy;
mod service;
mod span;
mod ticket;

pub use builder::ObserverBuilder;
pub use future::ResponseFuture;
pub use layer::ObserveLayer;
pub use measure::{ObserverStatus, Outcome, Percentiles, Seen};
pub use policy::Observer;
pub use portcullis_core::observe::Config;
pub use service::ObserveService;
pub use ticket::ObserveTicket;
