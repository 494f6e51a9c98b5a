//! Checks of everything that a service needs, asked in the background and told as one.
//!
//! A [`HealthMonitor`] has named [checks](crate::check): of the database, of a disk, of whatever a function can ask.
//! Each has a task of its own, so that all run side by side: one that hangs costs its own time limit, and one that
//! panics has failed. They join the monitor's [`Registry`](crate::Registry), where the policies are, and stand in
//! the health document under `checks`.
//!
//! A [probe](crate::probe) is for a dependency that calls go to: it counts results in a row, takes part in the calls
//! if it is told to, and drives a breaker. A check only tells.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use portcullis::{BoxError, HealthMonitor, Level, Registry, monitor::CheckPreset};
//! use std::time::Duration;
//!
//! let registry = Registry::new();
//! let monitor = HealthMonitor::new(&registry);
//! monitor.check("database").preset(CheckPreset::Essential).spawn(|| async { Ok::<_, BoxError>(()) })?;
//! monitor.check("replica").timeout(Duration::from_secs(1)).spawn(|| async {
//!     std::future::pending::<()>().await;
//!     Ok::<_, BoxError>(())
//! })?;
//!
//! monitor.run_now().await;
//! assert_eq!(registry.level(), Level::Degraded, "the service can do without the replica");
//! assert_eq!(&*monitor.status("replica").unwrap().message.unwrap(), "no answer within 1s");
//! # Ok(()) }
//! ```
//!
//! # When a check runs
//!
//! At once when it is added, and then [`interval`](CheckConfig::interval) after the end of each run, a bit earlier by
//! chance; never twice at a time. Reading its last result, as the health document does, runs nothing.
//! [`refresh`](HealthMonitor::refresh) runs those whose result is older than its [`cache`](CheckConfig::cache),
//! [`run_now`](HealthMonitor::run_now) all of them; whoever asks while one runs waits for that run.
//!
//! # What its level is
//!
//! What it says; or, of one that failed, panicked, or did not answer in time, critical if the service
//! [cannot work without](CheckConfig::critical) and degraded otherwise. One that has never answered, or that nobody asks any more because its runtime
//! has ended, is a warning at least. One that is refused by a policy on its way says nothing, and stays as it was. What that makes of the whole is up to
//! the registry's [rules](crate::Registry::set_health_rules).
//!
//! # When it ends
//!
//! A check's task ends when the check is removed or replaced, and all do with the last handle of the monitor: what
//! runs is dropped.

mod builder;
mod check;
mod handle;
mod measure;
mod status;
mod task;

pub use builder::CheckBuilder;
pub use handle::HealthMonitor;
pub use portcullis_core::health::{
    CheckConfig, CheckPreset, DEFAULT_CHECK_CACHE, DEFAULT_CHECK_HISTORY, DEFAULT_CHECK_INTERVAL,
    DEFAULT_CHECK_JITTER, DEFAULT_CHECK_TIMEOUT, Effect, Grades, Override, Part, Rules, Summary,
};
pub use status::{CheckResult, CheckStatus};
