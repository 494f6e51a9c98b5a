//! What a limit is worth when a server is offered more than it can do, in virtual time.
//!
//! A [`Candidate`] (no limit, a fixed one, each adaptive algorithm) stands in front of
//! a server with a few slots and a queue, [`simulate`] drives both through one
//! [`Scenario`], and [`Figures`] are what came of it. [`Bench`] is all of them;
//! `cargo xtask bench limits` writes its [`table`] and its [`plot`].
//!
//! No clock is read and all chance comes from a seed: a run is the same every time,
//! whatever else the machine does. It says nothing about what a call costs; that is
//! the other bench.
//!
//! ```
//! use portcullis_benches::limits::{Figures, Machine, Scenario, candidate, simulate};
//!
//! let scenario = Scenario { machine: Machine::QUICK, load: 2.0, seed: 1 };
//! let mut gate = candidate("Vegas").expect("it is in the list").gate()?;
//! let trace = simulate(&mut *gate, scenario);
//! let figures = Figures::of(&trace, scenario);
//! assert!(figures.goodput > 0.9 && figures.p99.as_millis() < 138);
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

#[cfg(test)]
mod bar;
mod bench;
mod candidate;
mod figures;
mod gate;
pub mod plot;
mod scenario;
mod server;
mod simulation;
pub mod table;
mod trace;

pub use bench::{Bench, Moment, Row};
pub use candidate::{Candidate, Kind, all, candidate};
pub use figures::{Figures, Step};
pub use gate::{Ending, Gate, Pass};
pub use scenario::{
    CAPACITY, INITIALS, LOADS, MOVED, Machine, PATIENCE, Phase, SEEDS, SLOWER, STARTED, STEPPED, Scenario,
};
pub use server::Server;
pub use simulation::{Arrivals, simulate};
pub use trace::{Bucket, Trace};
