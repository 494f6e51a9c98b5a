//! What one call costs through each pattern, here and elsewhere, in the same run.
//!
//! A [`Row`] is a job ("a closed breaker lets a call through"), a [`Peer`] is a
//! library that can do it, and a [`Job`] is the two put together, ready to be
//! called a given number of times. The binaries `calls` and `allocations` run
//! one job each; `cargo xtask bench` runs them all and writes the table.
//!
//! What limits do under overload is another matter, and a simulation: [`limits`]. So is what stacks cost a server that
//! is asked over sockets: `wire`, with the feature of that name.
//!
//! ```
//! use portcullis_benches::{Row, peers};
//!
//! let mut job = peers::job("recloser", Row::Closed).expect("recloser has this row");
//! assert_eq!(job.run(1000), 1000);
//! ```
#![forbid(unsafe_code)]

pub mod inner;
mod job;
pub mod limits;
pub mod peers;
mod row;
mod stopwatch;
#[cfg(feature = "wire")]
pub mod wire;

pub use job::{EverySecond, Job, Never, Requests, repeat, repeat_on_runtime, run, trip};
pub use peers::Peer;
pub use row::Row;
pub use stopwatch::{Throughput, throughput};
