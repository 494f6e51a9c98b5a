//! Settings from a file: TOML, JSON, YAML, or whatever else serde reads and that describes itself.
//!
//! [`config::Breaker`](Breaker) is what a file says of a breaker. It has the fields of
//! [`breaker::Config`](crate::breaker::Config), all of them optional, and becomes one with
//! [`build`](Breaker::build), or with [`over`](Breaker::over) and [`reload`](Breaker::reload) on top of
//! another. [`config::Retry`](Retry) is the same for a retry policy, with [`Backoff`] and [`Budget`] in it,
//! and [`config::Hedge`](Hedge) for a hedge.
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
//! # Fields of a breaker
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::breaker::Preset) | none | |
//! | `consecutive_failures` | failures in a row, or `"off"` | `5` | `1` to `1000000` |
//! | `failure_ratio` | share of the last calls, or `"off"` | `0.5` | `0.0001` to `1` |
//! | `window` | calls | `100` | `1` to `1000000` |
//! | `minimum_calls` | calls | `20`, or `window` if that is less | `1` to `window` |
//! | `time_window` | a table, or `"off"` | `"off"` | |
//! | `time_window.span` | time | `"10s"` | `"1ms"` to `"24h"` |
//! | `time_window.buckets` | count | `10` | `1` to `1000` |
//! | `time_window.failure_ratio` | share of the calls in the span | `0.5` | `0.0001` to `1` |
//! | `time_window.minimum_calls` | calls | `20` | `1` to `1000000` |
//! | `slow_calls` | a table, or `"off"` | `"off"` | |
//! | `slow_calls.after` | time | must be given | `"1ms"` to `"24h"` |
//! | `slow_calls.ratio` | share of the calls | `0.5` | `0.0001` to `1` |
//! | `kind_limits` | a table of failures by [kind](crate::FailureKind::as_str), or `"off"` | `{}` | each `1` to `1000000` |
//! | `open_for` | time | `"5s"` | `"1ms"` to `"24h"` |
//! | `open_factor` | factor | `2.0` | `1` to `10` |
//! | `open_cap` | time | `"5m"` | `"1ms"` to `"24h"` |
//! | `open_jitter` | share of the open time | `0.1` | `0` to `1` |
//! | `open_reset_after` | time | `"1m"` | `"0s"` to `"24h"` |
//! | `permits` | probes at a time | `3` | `1` to `1000` |
//! | `successes` | probes | `3` | `1` to `1000` |
//! | `probe_ratio` | share of the probes, or `"off"` | `"off"` | `0.0001` to `1` |
//! | `probe_chance` | chance of a call | `1.0` | `0.01` to `1` |
//! | `lease` | time | `"10s"` | `"1ms"` to `"24h"` |
//! | `max_half_open` | time, or `"off"` | `"off"` | `"1ms"` to `"24h"` |
//! | `ramp` | time, or `"off"` | `"off"` | `"1ms"` to `"24h"` |
//! | `hung_after` | time, or `"off"` | `"off"` | `"1ms"` to `"24h"` |
//! | `only_retries` | `true` or `false` | `false` | |
//! | `automatic` | `true` or `false` | `false` | |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the refusals | must be given | `0` to `100` |
//!
//! What each does is told at [`breaker::Config`](crate::breaker::Config). Its functions, `rule` and
//! `open_time`, cannot stand in a file.
//!
//! # Fields of a retry
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::retry::Preset) | none | |
//! | `max_attempts` | attempts, with the first | `3` | `1` to `100` |
//! | `backoff` | a table, the time that is its `base`, or `"off"` | `{}` | |
//! | `backoff.curve` | `"exponential"`, `"linear"`, `"fixed"`, `"fibonacci"` or `"list"` | `"exponential"` | |
//! | `backoff.base` | time | `"50ms"` | `"0s"` to `"24h"` |
//! | `backoff.factor` | factor | `2.0` | `1` to `10` |
//! | `backoff.cap` | time | `"20s"`, or the first wait if that is more | `"0s"` to `"24h"` |
//! | `backoff.jitter` | `"full"`, `"equal"`, `"exponential"`, `"decorrelated"`, `"none"`, or a table | `"full"` | |
//! | `backoff.jitter.uniform` | share of the wait | must be given | `0` to `1` |
//! | `backoff.waits` | up to 1000 times, for the curve `"list"` | must be given | |
//! | `total_time` | time, or `"off"` | `"off"` | `"1ms"` to `"24h"` |
//! | `max_retry_after` | time | `"30s"` | `"0s"` to `"24h"` |
//! | `not_retried` | a list of [kinds](crate::FailureKind::as_str) of failure, or `"off"` | `["data_loss", "validation"]` | |
//! | `grpc_codes` | a list of [codes](crate::GrpcCode::as_str), or `"off"` | `"off"` | |
//! | `retry_refusals` | `true` or `false` | `false` | |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the retries | must be given | `0` to `100` |
//! | `budget` | a table, or the `kind` alone | `{}` | |
//!
//! What each does is told at [`retry::Config`](crate::retry::Config).
//!
//! # Fields of a hedge
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::hedge::Preset) | none | |
//! | `delay` | a table, or a time that is always the same | `{}` | |
//! | `delay.quantile` | share of the calls | `0.95` | `0.5` to `0.999` |
//! | `delay.at_least` | time | `"5ms"` | `"0s"` to `at_most` |
//! | `delay.at_most` | time | `"5s"` | `"0s"` to `"24h"` |
//! | `delay.initial` | time | `"1s"` | `"0s"` to `"24h"` |
//! | `max_attempts` | attempts, with the first | `2` | `2` to `5` |
//! | `max_retry_after` | time | `"30s"` | `"0s"` to `"24h"` |
//! | `fatal` | a list of [kinds](crate::FailureKind::as_str) of failure, or `"off"` | `["data_loss", "validation"]` | |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the hedges | must be given | `0` to `100` |
//! | `budget` | a table, or the `kind` alone | `{}` | |
//!
//! What each does is told at [`hedge::Config`](crate::hedge::Config).
//!
//! # Fields of a budget
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `shared` | the name of a budget that several policies share; see [`Budget::in_registry`] | none | |
//! | `kind` | `"share"`, `"concurrent"`, `"throttle"`, `"cost"` or `"unlimited"` | `"share"` | |
//! | `ratio` | retries a call; share and concurrent | `0.2` | `0` to `1` |
//! | `min_per_second` | retries a second; share | `10` | `0` to `1000000` |
//! | `min_concurrent` | retries at a time; concurrent | `3` | `0` to `1000000` |
//! | `max_tokens` | tokens; throttle | `10` | `1` to `1000` |
//! | `token_ratio` | tokens a success; throttle | `0.1` | `0.001` to `1000` |
//! | `capacity` | what retries take from; cost | `500` | `0` to `1000000` |
//! | `retry` | what a retry takes; cost | `5` | `1` to `1000000` |
//! | `timeout` | what a retry after a timeout takes; cost | `10` | `1` to `1000000` |
//! | `success` | what a first success adds; cost | `1` | `0` to `1000000` |
//!
//! What each does is told at [`BudgetConfig`](crate::retry::BudgetConfig).
//!
//! A budget that is `shared` is no part of a policy's configuration, so the program gives it to the builder.
//! With `config(settings.build()?)` alone the policy gets one of its own, with the same rules:
//!
//! ```
//! use portcullis::{Hedge, Registry, RetryBudget, RetryPolicy, config};
//!
//! #[derive(serde::Deserialize)]
//! struct Settings {
//!     upstream: config::Budget,
//!     retry: config::Retry,
//!     hedge: config::Hedge,
//! }
//!
//! let settings: Settings = toml::from_str(r#"
//!     upstream = { shared = "upstream", ratio = 0.1, min_per_second = 5 }
//!
//!     [retry]
//!     max_attempts = 4
//!     backoff = { base = "20ms", jitter = "equal" }
//!
//!     [hedge]
//!     delay = { quantile = 0.99, initial = "250ms" }
//! "#)?;
//!
//! let budget = settings.upstream.in_registry(Registry::global())?.expect("it has a name");
//! let retry = RetryPolicy::builder("orders").config(settings.retry.build()?).budget(&budget).build()?;
//! // The retry is around the hedge, and has counted its calls already.
//! let inner = budget.withdraw_only();
//! let hedge = Hedge::builder("orders").config(settings.hedge.build()?).budget(&inner).build()?;
//! assert!(retry.budget().is_same(hedge.budget()));
//!
//! // The file has changed: the policies, and the budget that they share.
//! retry.reconfigure(settings.retry.reload(&retry.config())?)?;
//! budget.reconfigure(settings.upstream.build()?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Values
//!
//! - A **time** is a text with units, hours at most: `"250ms"`, `"5s"`, `"1.5s"`, `"1m 30s"`, `"24h"`. A
//!   bare number is refused, because nobody could tell its unit.
//! - A **share** is a number, 1 for all.
//! - **`"off"`**, or `false`, turns off what can be off. `null` is refused: some formats mean "not set" by it.
//! - A **table** is taken as a whole: a field that it leaves out has the default of this list.

mod backoff;
mod breaker;
mod budget;
mod delay;
mod fields;
mod form;
mod hedge;
mod lists;
mod place;
mod retry;
mod rules;
mod settings;

pub use backoff::Backoff;
pub use breaker::Breaker;
pub use budget::Budget;
pub use hedge::Hedge;
pub use retry::Retry;
