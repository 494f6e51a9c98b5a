//! Balancing over endpoints, of which outliers are ejected.
//!
//! For a client of a service that runs more than once. [`Endpoints`] is the set, which may change while calls
//! flow; [`Balance`] is a tower service that sends each call to one of them; [`Outliers`] is the policy: it counts
//! how calls end and keeps calls away from endpoints that do worse than the others. Behind a proxy or a virtual IP
//! that balances by itself there is only one endpoint, and a [breaker](crate::breaker) is what fits.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{Balance, BoxError, Endpoints, Outliers};
//! use tower::{ServiceExt, service_fn};
//!
//! let outliers = Outliers::new("inventory");
//! let endpoints = Endpoints::new(outliers.clone());
//! for host in ["a", "b", "c"] {
//!     endpoints.insert(host, service_fn(move |n: u32| async move { Ok::<_, BoxError>(format!("{host}{n}")) }));
//! }
//!
//! let answer = Balance::new(endpoints.clone()).oneshot(7).await?;
//! assert!(["a7", "b7", "c7"].contains(&answer.as_str()));
//!
//! endpoints.remove("b");
//! assert_eq!((endpoints.len(), outliers.status().endpoints), (2, 2));
//! # Ok(()) }
//! ```
//!
//! # Which endpoint
//!
//! Of two that are drawn by their [weights](Endpoints::insert_weighted), the one with less to do
//! ([`Measure`]); or, with [`Balance::by_key`], always the same for the same key, of which only few move when
//! endpoints come and go. A retry that says where it was before
//! ([`avoid_tried`](crate::RetryLayer::avoid_tried)) goes elsewhere, if there is an elsewhere.
//!
//! # Readiness
//!
//! A balancer is ready as soon as one of the endpoints that can be used is: a hung one holds up nobody. The call
//! runs on the instance that was polled ready. With no endpoint at all, calls are refused.
//!
//! An instance that was not ready when another was is given up, because it may hold a place in a queue. So services
//! that get ready only by being polled need a task of their own, as [`tower::buffer`] gives them. By key, a call
//! waits for its own endpoint, after the balancer was called.
//!
//! # One set, many balancers
//!
//! The endpoints' services must be `Clone`, as tonic's channels, hyper's and reqwest's clients and all layers here
//! are. Each balancer, and so each clone of it, has instances of its own, made when they are first needed: cloning
//! a balancer for each call clones one service, and locks it for that long. What is counted is shared.
//!
//! # Ejection
//!
//! See [`outlier`](portcullis_core::outlier) for the rules and [`Config`] for the settings. Time passes by calls
//! and by looks at the status: there is no task. Results count until the end of the response's body; what was
//! [ignored](crate::Verdict::Ignored), as the refusals of other policies, and what was cancelled says nothing.
//! So a time limit belongs around the single endpoint's service, or endpoints that hang are never known to. A
//! breaker around a single endpoint's service is not needed. Where there is one, or another policy that refuses, its
//! quick refusals are not taken for a free endpoint: for a second after each, the endpoint comes after all that it is
//! drawn with and that did not refuse.
//!
//! # tower's Discover
//!
//! [`Endpoints::follow`] takes changes from anything that can be polled for them. See there.
//!
//! [`tower::buffer`]: https://docs.rs/tower/latest/tower/buffer/

mod builder;
mod by_hand;
mod end;
mod endpoints;
mod follow;
mod future;
mod instances;
mod measure;
mod policy;
mod route;
mod saved;
mod service;
mod ticket;
mod view;
mod waiters;

pub use builder::OutliersBuilder;
pub use by_hand::OutlierEndpoint;
pub use endpoints::{EndpointLoad, Endpoints};
pub use follow::Change;
pub use future::ResponseFuture;
pub use policy::Outliers;
pub use portcullis_core::{
    balance::{DEFAULT_DECAY, KeyHasher, Measure, key_hash},
    outlier::{
        Cause, Change as EndpointChange, Config, DEFAULT_BASE_EJECTION, DEFAULT_CONSECUTIVE,
        DEFAULT_INTERVAL, DEFAULT_MAX_EJECTED_SHARE, DEFAULT_MAX_EJECTION, DEFAULT_PANIC_THRESHOLD,
        EndpointStatus, FailureShare, FleetStatus, MAX_WEIGHT, Preset, SlowStart, SuccessRate, What,
    },
};
pub use route::{ByKey, ByLoad, Route};
pub use service::Balance;
pub use ticket::BalanceTicket;
