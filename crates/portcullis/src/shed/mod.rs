//! Load shedding: a server that has more to do than it can refuses what matters least, so that the rest is
//! still served in time.
//!
//! Use it on the outside of a server, around everything that takes time. It differs from a
//! [bulkhead](crate::bulkhead), which is put around one dependency and knows only how many calls run: load
//! shedding also sees that work waits, or that the machine is busy, lets nobody wait in line, and knows whom
//! to refuse first. It does not help where a dependency is slow and the server is idle: that is what bulkheads,
//! breakers and timeouts are for. And it holds nobody back who calls too often but harms nobody: that is what
//! [rate limits](crate::rate) are for.
//!
//! ```
//! # #[cfg(feature = "http")]
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{LoadShed, LoadShedLayer};
//! use std::convert::Infallible;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let shed = LoadShed::builder("api").max_in_flight(1).build()?;
//! let layer = LoadShedLayer::new(shed.clone())
//!     .priority_header(http::HeaderName::from_static("x-priority"))
//!     .exempt_paths(["/livez", "/readyz"])
//!     .http_server();
//! let service = ServiceBuilder::new().layer(layer).service(service_fn(|_: http::Request<String>| async {
//!     Ok::<_, Infallible>(http::Response::new(String::from("done")))
//! }));
//!
//! let get = |path: &str| http::Request::get(path).body(String::new()).unwrap();
//! let running = service.clone().oneshot(get("/report")).await?; // until its body is read or dropped
//! assert_eq!(service.clone().oneshot(get("/report")).await?.status(), 503);
//! assert_eq!(service.clone().oneshot(get("/livez")).await?.status(), 200);
//! drop(running);
//! assert_eq!(service.oneshot(get("/report")).await?.status(), 200);
//! # Ok(()) }
//! # #[cfg(not(feature = "http"))]
//! # fn main() {}
//! ```
//!
//! # Signals
//!
//! Several can be used together; the first that is over its limit refuses.
//!
//! | signal | default | who is refused |
//! |---|---|---|
//! | [calls in flight](LoadShedBuilder::max_in_flight), until their bodies end | off | each class at [its share](LoadShedBuilder::shares) of the limit |
//! | [queue delay](LoadShedBuilder::queue_delay): how long work waits before anything is done for it | 20 ms in 100 ms | the lowest levels |
//! | [pressure](LoadShedBuilder::pressure): how busy the machine is | off | the lowest levels |
//! | [cut](LoadShedBuilder::cut): a share that you say | off | the lowest levels |
//!
//! An async server has no queue that could be looked at: what waits are tasks and sockets. So a small task
//! measures how late the runtime is: it sleeps for a tenth of the interval, goes once through the runtime's queue,
//! and looks how late it is. It starts with the first call inside a runtime, rests when no calls come for ten
//! seconds, and ends with the policy. When it cannot even run, calls see that. With a runtime per thread make
//! a policy for each. Time that requests spent in front of the process is known where a proxy
//! [stamps](LoadShedLayer::request_start_header) them, or a function [tells](LoadShedLayer::waited).
//!
//! # Who is refused
//!
//! A call has a [priority](crate::Priority) of five, and a level from 0 to 499: a hundred for each priority,
//! and in it a place by its [user](LoadShedLayer::user) or by lot. When calls wait too long, or the machine is
//! too busy, the lowest level that is admitted rises, so that a share of what comes is refused; which level that
//! is, the calls of the last seconds tell. The share grows by 5 % of what is admitted in each interval of
//! overload, and falls by 1 % of all, faster when the overload stays away. While work has piled up, less is
//! admitted, so that the queue empties. A class that is alone is shed in part, and never wholly.
//!
//! Refused calls are told to come again after a time between half of
//! [`retry_after`](LoadShedBuilder::retry_after) and all of it, by lot.
//!
//! # Cancellation
//!
//! Dropping a call at any point takes it off those in flight. The same goes for a panic.

mod arrival;
mod builder;
#[cfg(feature = "http")]
mod exempt;
mod future;
mod layer;
mod measure;
mod policy;
mod pressure;
mod sampler;
mod service;
#[cfg(feature = "http")]
mod start;
mod ticket;

pub use arrival::{ByUser, Exempt, Plain, Prioritized, Reads, Waited};
#[cfg(feature = "http")]
pub use arrival::{ExemptPaths, FromHead, Started};
pub use builder::LoadShedBuilder;
pub use future::ResponseFuture;
pub use layer::LoadShedLayer;
pub use measure::LoadShedStatus;
pub use policy::LoadShed;
pub use portcullis_core::shed::{
    Arrival, Config, DEFAULT_COOLING, DEFAULT_INTERVAL, DEFAULT_MAX_CUT, DEFAULT_RETRY_AFTER, DEFAULT_SHARES,
    DEFAULT_TARGET, LEVELS, MAX_CALLS, PRESSURE_INTERVAL, Preset, Pressure, PressureFn, PressureSource,
    QueueDelay,
};
pub use service::LoadShedService;
pub use ticket::ShedTicket;
