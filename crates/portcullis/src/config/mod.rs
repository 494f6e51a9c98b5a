//! Settings from a file: TOML, JSON, YAML, or whatever else serde reads and that describes itself.
//!
//! [`config::Breaker`](Breaker) is what a file says of a breaker. It has the fields of
//! [`breaker::Config`](crate::breaker::Config), all of them optional, and becomes one with
//! [`build`](Breaker::build), or with [`over`](Breaker::over) and [`reload`](Breaker::reload) on top of
//! another. [`config::Retry`](Retry) is the same for a retry policy, with [`Backoff`] and [`Budget`] in it,
//! [`config::Hedge`](Hedge) for a hedge, [`config::Bulkhead`](Bulkhead) for a bulkhead,
//! [`config::KeyedBulkhead`](KeyedBulkhead) for one by key, and
//! [`config::RateLimit`](RateLimit) for a rate limit, or one per key, [`config::Throttle`](Throttle) for a throttle,
//! or one per key, [`config::ThreadPool`](ThreadPool) for a pool of threads,
//! [`config::Cache`](Cache) for a cache, [`config::Coalesce`](Coalesce) for coalescing,
//! [`config::AdaptiveLimit`](AdaptiveLimit) for an adaptive limit, [`config::LoadShed`](LoadShed) for a load shedding,
//! [`config::HealthCheck`](HealthCheck) for a check of a health monitor, [`config::Probe`](Probe) for a probe,
//! [`config::Drain`](Drain) for a drain, [`config::Outlier`](Outlier) for the ejection of outliers,
//! [`config::Fallback`](Fallback) for a fallback or a failover, [`config::Reconnect`](Reconnect) for reconnecting,
//! [`config::Chaos`](Chaos) for chaos, [`config::Observer`](Observer) for an observer, and [`config::Timeout`](Timeout) for a timeout.
//! A word that is no field, and a value of the wrong type, are errors where the file is read; a value
//! outside its range is the same [`ConfigError`](crate::ConfigError) as the builder's.
//!
//! ```
//! use portcullis::{Breaker, FailureKind, breaker, config};
//! use std::{collections::BTreeMap, time::Duration};
//!
//! let file = r#"
//!     [inventory]
//!     preset = "fast_api"
//!     failure_ratio = 0.3
//!     open_for = "1m 30s"
//!     slow_calls = { after = "250ms", ratio = 0.8 }
//!     kind_limits = { timeout = 10 }
//!     mode = { enforce_percent = 25 }
//!
//!     [search]
//!     consecutive_failures = "off"
//!     time_window = { span = "30s" }
//! "#;
//!
//! let settings: BTreeMap<String, config::Breaker> = toml::from_str(file)?;
//! let config: breaker::Config = settings["inventory"].build()?;
//! assert_eq!(config.open_for, Duration::from_secs(90));
//! assert_eq!(config.kind_limits[&FailureKind::Timeout], 10);
//! assert_eq!(settings["search"].build()?.consecutive_failures, None);
//!
//! let inventory = Breaker::builder("inventory").config(config).build()?;
//! # let _ = inventory;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A file for many, and a changed one
//!
//! The settings of a service are a struct of these. When the file has changed, it is built anew: by `reload` where a
//! configuration may have functions, which a file cannot give, and by `build` elsewhere. Build all before the first
//! is given to its policy, so that a value outside its range changes nothing at all:
//!
//! ```
//! use portcullis::{KeyedRateLimit, LoadShed, config};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     shed: config::LoadShed,
//!     tenants: config::RateLimit,
//! }
//!
//! let first: Settings = toml::from_str("shed = { max_in_flight = 100 }\ntenants = { permits = 10 }")?;
//! let shed = LoadShed::builder("shop").config(first.shed.build()?).build()?;
//! let tenants = KeyedRateLimit::builder("tenants").config(first.tenants.build()?).build()?;
//!
//! let second: Settings = toml::from_str("shed = { max_in_flight = 200 }\ntenants = { permits = 20 }")?;
//! let (new_shed, new_tenants) = (second.shed.reload(&shed.config())?, second.tenants.build()?);
//! shed.reconfigure(new_shed)?;
//! tenants.reconfigure(new_tenants)?;
//! assert_eq!((shed.config().max_in_flight, tenants.config().permits), (Some(200), 20));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
#![doc = include_str!("fields.md")]

mod adaptive;
mod backoff;
mod breaker;
mod budget;
mod bulkhead;
mod cache;
mod chaos;
mod coalesce;
mod delay;
mod drain;
mod fallback;
mod fields;
mod form;
mod health;
mod hedge;
mod keyed_bulkhead;
mod limits;
mod lists;
mod observer;
mod outlier;
mod place;
mod pool;
mod probe;
mod rate;
mod reconnect;
mod retry;
mod rules;
#[cfg(feature = "schema")]
pub mod schema;
mod settings;
mod shed;
mod throttle;
mod timeout;

pub use adaptive::AdaptiveLimit;
pub use backoff::Backoff;
pub use breaker::Breaker;
pub use budget::Budget;
pub use bulkhead::Bulkhead;
pub use cache::Cache;
pub use chaos::Chaos;
pub use coalesce::Coalesce;
pub use drain::Drain;
pub use fallback::Fallback;
pub use health::{HealthCheck, HealthMonitor};
pub use hedge::Hedge;
pub use keyed_bulkhead::KeyedBulkhead;
pub use observer::Observer;
pub use outlier::Outlier;
pub use pool::ThreadPool;
pub use probe::Probe;
pub use rate::RateLimit;
pub use reconnect::Reconnect;
pub use retry::Retry;
pub use shed::LoadShed;
pub use throttle::Throttle;
pub use timeout::Timeout;
