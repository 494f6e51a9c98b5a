//! The same server behind every stack, to be asked over sockets.
//!
//! What is served is what the example `axum-server` serves, and what stands before it is what each library has for a
//! server: limits on time, on rate and on what is in flight. The program `wire` serves one of them;
//! `cargo xtask bench wire` lets `wrk` ask them all, in turns. The jobs of [`Row`](crate::Row) say what a call costs;
//! this says what share of a request that is, where a kernel and an HTTP server have their shares, too.

mod portcullis;
mod seatbelt;
mod tower;
mod tower_resilience;

use std::time::Duration;

use ::tower::layer::util::Identity;
use anyhow::Result;
use axum::{Router, http::StatusCode};

/// The path that is asked for: a route with a parameter.
pub const PATH: &str = "/stock/tea";

/// A server with something before its handlers, or with nothing.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// The name, as on the command line and in the table.
    pub name: &'static str,
    /// What stands before the handlers, from the outside to the inside.
    pub layers: &'static str,
    /// The server's router. Wants a tokio runtime to have been entered. Once in a process.
    pub router: fn() -> Result<Router>,
}

/// The one that the others are compared with, which has nothing before its handlers.
pub const BARE: Variant = Variant { name: "bare", layers: "nothing", router: || Ok(axum_server::routes()) };

/// What any layer costs for being one: axum puts the answers of layered routes into bodies of its own kind.
const IDENTITY: Variant = Variant {
    name: "identity",
    layers: "a layer that does nothing",
    router: || Ok(axum_server::routes().layer(Identity::new())),
};

/// Every variant, in the order of the table's lines.
pub const ALL: &[Variant] = &[
    BARE,
    IDENTITY,
    portcullis::PIPELINE,
    portcullis::METRICS,
    portcullis::EXAMPLE,
    tower::LAYERS,
    tower_resilience::LAYERS,
    seatbelt::LAYERS,
];

/// The variant of this name.
pub fn named(name: &str) -> Option<Variant> {
    ALL.iter().find(|variant| variant.name == name).copied()
}

// What is the same for all, so that they compare, and wide enough that nothing is refused.

/// A timeout that never fires.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than there are connections.
const ROOM: usize = 1000;
/// A rate that no server reaches: so many permits in a [`SECOND`].
const MANY: u32 = 1_000_000;
const SECOND: Duration = Duration::from_secs(1);

/// What the layers of the peers are given for an answer, where their refusals are errors.
async fn unavailable<E>(_: E) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}
