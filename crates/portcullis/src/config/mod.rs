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
//! # Fields of a bulkhead
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::bulkhead::Preset) | none | |
//! | `max_in_flight` | permits | `100` | `1` to `1000000` |
//! | `max_queued` | calls that may wait | `0` | `0` to `1000000` |
//! | `max_wait` | time | `"1s"` | `"1ms"` to `"1h"` |
//! | `order` | who is next: `"fifo"`, `"lifo"` or `"priority"` | `"fifo"` | |
//! | `codel` | a table, or `"off"` | `"off"` | |
//! | `codel.target` | time | `"5ms"` | `"100us"` to `"1m"` |
//! | `codel.interval` | time | `"100ms"` | `codel.target` to `"1m"` |
//! | `reserved` | a table of permits by [priority](crate::Priority), or `"off"` | `{}` | together `0` to `99`: less than `max_in_flight` |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the refusals | must be given | `0` to `100` |
//!
//! What each does is told at [`bulkhead::Config`](crate::bulkhead::Config).
//!
//! # Fields of a keyed bulkhead
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::bulkhead::keyed::Preset) | none | |
//! | `overall` | permits for all keys | `100` | `1` to `1000000` |
//! | `per_key` | permits for one key, or `"off"`: as many as is fair | `"off"` | `1` to `overall` |
//! | `max_queued` | calls that may wait | `0` | `0` to `1000000` |
//! | `max_wait` | time | `"1s"` | `"1ms"` to `"1h"` |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the refusals | must be given | `0` to `100` |
//!
//! What each does is told at [`bulkhead::keyed::Config`](crate::bulkhead::keyed::Config).
//!
//! # Fields of a rate limit
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::rate::Preset) | none | |
//! | `permits` | permits in a period | `100` | `1` to `1000000` |
//! | `period` | time | `"1s"` | `"1ms"` to `"720h"` |
//! | `burst` | permits at once, or `"off"`: as many as in a period | `"off"` | `1` to `1000000` |
//! | `algorithm` | `"gcra"` or `"sliding_window"` | `"gcra"` | |
//! | `warmup` | a table, or `"off"` | `"off"` | |
//! | `warmup.from` | share of the rate | must be given | `0.01` to `1` |
//! | `warmup.time` | time | must be given | `"1ms"` to `"1h"` |
//! | `max_queued` | calls that may wait | `0` | `0` to `10000` |
//! | `max_wait` | time | `"1s"` | `"1ms"` to `"1h"` |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the refusals | must be given | `0` to `100` |
//!
//! What each does is told at [`rate::Config`](crate::rate::Config).
//!
//! # Fields of a pool of threads
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::pool::Preset) | none | |
//! | `threads` | threads there may be | `10` | `1` to `10000` |
//! | `max_queued` | calls that may wait | `0` | `0` to `1000000` |
//! | `max_wait` | time | `"1s"` | `"1ms"` to `"1h"` |
//! | `newest_first` | `true` or `false` | `false` | |
//! | `keep_alive` | time | `"10s"` | `"0s"` to `"24h"` |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the refusals | must be given | `0` to `100` |
//!
//! What each does is told at [`pool::Config`](crate::pool::Config).
//!
//! # Fields of a cache
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of `cache::Preset` | none | |
//! | `ttl` | time | `"1m"` | `"1ms"` to `"8760h"` |
//! | `jitter` | share of that | `0.1` | `0` to `0.5` |
//! | `stale_while_revalidate` | time | `"0s"` | `"0s"` to `"8760h"` |
//! | `stale_if_error` | time | `"0s"` | `"0s"` to `"8760h"` |
//! | `stale_kinds` | a list of [kinds](crate::FailureKind::as_str) of failure, or `"off"` | all but validation and data loss | |
//! | `stale_on_refusal` | `true` or `false` | `true` | |
//! | `negative_ttl` | time, or `"off"` | `"off"` | `"1ms"` to `"8760h"` |
//! | `max_entries` | entries | `10000` | `1` to `100000000` |
//! | `max_weight` | bytes, or what the program weighs by; or `"off"` | `"off"` | `1` to `4294967295` |
//! | `refresh_timeout` | time | `"30s"` | `"1ms"` to `"24h"` |
//! | `max_refreshes` | calls in the background | `64` | `1` to `10000` |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the answers | must be given | `0` to `100` |
//!
//! What each does is told at `cache::Config`, with the feature `cache`.
//!
//! # Fields of coalescing
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `max_keys` | keys in flight | `10000` | `1` to `1000000` |
//! | `max_waiting` | calls of one key that may wait | `10000` | `1` to `1000000` |
//! | `max_body` | bytes of a response's body that is shared | `1048576` | `0` to `1073741824` |
//! | `on_failure` | what becomes of those who wait: `"share"` or `"promote"` | `"share"` | |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the calls that could wait | must be given | `0` to `100` |
//!
//! What each does is told at [`coalesce::Config`](crate::coalesce::Config).
//!
//! # Fields of a health check
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`CheckPreset`](crate::monitor::CheckPreset) | none | |
//! | `critical` | `true` or `false` | `false` | |
//! | `timeout` | time | `"5s"` | `"1ms"` to `"1h"` |
//! | `interval` | time, or `"off"`: only where somebody asks | `"30s"` | `"1ms"` to `"24h"` |
//! | `jitter` | share of the interval | `0.1` | `0` to `1` |
//! | `cache` | time | `"5s"` | `"5s"` to `"5m"` |
//! | `history` | results that are kept | `32` | `1` to `1000` |
//!
//! What each does is told at [`CheckConfig`](crate::monitor::CheckConfig). [`HealthMonitor`] has those of many checks.
//!
//! # Fields of a probe
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `interval` | time | `"5s"` | `"1ms"` to `"24h"` |
//! | `interval_when_down` | time | `"1s"` | `"1ms"` to `"24h"` |
//! | `jitter` | share of the interval | `0.1` | `0` to `1` |
//! | `timeout` | time | `"1s"` | `"1ms"` to `"24h"` |
//! | `down_after` | failures in a row | `3` | `1` to `1000` |
//! | `up_after` | successes in a row | `2` | `1` to `1000` |
//! | `critical` | `true` or `false` | `false` | |
//!
//! What each does is told at [`probe::Config`](crate::probe::Config). What it asks, and which breaker it drives, a file
//! cannot say.
//!
//! # Fields of a throttle
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::throttle::Preset) | none | |
//! | `k` | requests for each that is accepted | `2.0` | `1.1` to `100` |
//! | `window` | time | `"2m"` | `"1s"` to `"1h"` |
//! | `max_share` | share of the calls | `0.9` | `0.01` to `1` |
//! | `min_requests` | requests in the window | `10` | `1` to `1000000` |
//! | `refused_by` | a list of [kinds](crate::FailureKind::as_str) of failure, or `"off"` | `["timeout", "connection", "unavailable", "rate_limited", "resource_exhausted"]` | |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the refusals | must be given | `0` to `100` |
//!
//! What each does is told at [`throttle::Config`](crate::throttle::Config).
//!
//! # Fields of a drain
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::drain::Preset) | none | |
//! | `announce` | time | `"5s"` | `"0s"` to `"1h"` |
//! | `grace` | time | `"30s"` | `"0s"` to `"24h"` |
//! | `retry_after` | time | `"0s"` | `"0s"` to `"1h"` |
//!
//! What each does is told at [`drain::Config`](crate::drain::Config).
//!
//! # Fields of a timeout
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::timeout::Preset) | none | |
//! | `limit` | time | `"10s"` | `"1ms"` to `"24h"` |
//! | `scope` | what is timed: `"total"` or `"attempt"` | `"total"` | |
//! | `whole_response` | `true` or `false` | `false` | |
//! | `body` | time, or `"off"` | `"off"` | `"1ms"` to `"24h"` |
//! | `body_idle` | time, or `"off"` | `"off"` | `"1ms"` to `"24h"` |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the late calls | must be given | `0` to `100` |
//! | `adaptive` | a table, or `"off"` | `"off"` | |
//! | `adaptive.quantile` | share of the calls | `0.99` | `0.5` to `0.999` |
//! | `adaptive.factor` | factor | `2.0` | `1.5` to `100` |
//! | `adaptive.at_least` | time | `"10ms"` | `"1ms"` to `limit` |
//! | `adaptive.min_calls` | calls | `100` | `1` to `1000000` |
//!
//! What each does is told at [`timeout::Config`](crate::timeout::Config).
//!
//! # Fields of an adaptive limit
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::adaptive::Preset) | none | |
//! | `min` | calls in flight | `1` | `1` to `max` |
//! | `max` | calls in flight | `1000` | `1` to `1000000` |
//! | `initial` | calls in flight | `20` | `min` to `max` |
//! | `ceiling` | time, or `"off"` | `"off"` | `"1ms"` to `"24h"` |
//! | `window` | time | `"100ms"` | `"1ms"` to `"1m"` |
//! | `min_samples` | calls | `10` | `5` to `10000` |
//! | `tolerated` | share of the calls | `0.02` | `0` to `0.5` |
//! | `backoff` | factor | `0.9` | `0.1` to `0.99` |
//! | `probe_every` | time | `"30s"` | `"1s"` to `"24h"` |
//! | `congestion` | a list of [kinds](crate::FailureKind::as_str) of failure, or `"off"` | `["timeout", "connection", "unavailable", "rate_limited", "resource_exhausted", "slow"]` | |
//! | `algorithm` | `"aimd"`, `"vegas"`, `"gradient"`, `"correlation"`, or a table of one of these | `"vegas"` | |
//! | `algorithm.aimd.increase` | calls in flight | `1` | `1` to `1000` |
//! | `algorithm.vegas.alpha` | waiting calls, times the logarithm of the limit | `3` | `0.1` to `100` |
//! | `algorithm.vegas.beta` | the same | `6` | `alpha` to `1000` |
//! | `algorithm.vegas.smoothing` | share of a step | `1` | `0.01` to `1` |
//! | `algorithm.gradient.tolerance` | factor | `1.5` | `1` to `10` |
//! | `algorithm.gradient.queue` | calls in flight | `4` | `1` to `1000` |
//! | `algorithm.gradient.smoothing` | share of a step | `0.2` | `0.01` to `1` |
//! | `algorithm.gradient.long_window` | windows | `600` | `10` to `100000` |
//! | `algorithm.correlation.alpha` | as of Vegas | `3` | `0.1` to `100` |
//! | `algorithm.correlation.beta` | as of Vegas | `6` | `alpha` to `1000` |
//! | `algorithm.correlation.windows` | windows | `50` | `10` to `1000` |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the refusals | must be given | `0` to `100` |
//!
//! What each does is told at [`adaptive::Config`](crate::adaptive::Config).
//!
//! # Fields of a load shedding
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::shed::Preset) | none | |
//! | `max_in_flight` | calls, or `"off"` | `"off"` | `1` to `1000000` |
//! | `queue_delay` | a table, or `"off"` | `{}` | |
//! | `queue_delay.target` | time | `"20ms"` | `"1ms"` to `"1m"` |
//! | `queue_delay.interval` | time, not less than the target; from 10 ms with a shorter one | `"100ms"` | `"20ms"` to `"1m"` |
//! | `pressure` | a table, or `"off"` | `"off"` | |
//! | `pressure.limit` | share | must be given | `0.01` to `1` |
//! | `pressure.source` | `"cpu"` or `"cpu_stalls"` | `"cpu"` | |
//! | `pressure.cooling` | time | `"1s"` | `"0s"` to `"1m"` |
//! | `shares` | a table of shares of `max_in_flight` by [priority](crate::Priority); who is not named has the default | see [there](crate::shed::DEFAULT_SHARES) | |
//! | `cut` | share of the calls | `0.0` | `0` to `max_cut` |
//! | `max_cut` | share of the calls | `0.98` | `0.05` to `0.999` |
//! | `retry_after` | time, or `"off"` | `"2s"` | `"1ms"` to `"1h"` |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the refusals | must be given | `0` to `100` |
//!
//! What each does is told at [`shed::Config`](crate::shed::Config).
//!
//! # Fields of the ejection of outliers
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `preset` | what the other fields start from, a word of [`Preset`](crate::balance::Preset) | none | |
//! | `interval` | time | `"10s"` | `"10ms"` to `"24h"` |
//! | `base_ejection` | time | `"30s"` | `"1ms"` to `"24h"` |
//! | `max_ejection` | time | `"5m"` | `"1ms"` to `"24h"` |
//! | `ejection_jitter` | time | `"0s"` | `"0s"` to `"24h"` |
//! | `max_ejected_share` | share of the endpoints | `0.1` | `0` to `1` |
//! | `consecutive` | failures in a row, or `"off"` | `5` | `1` to `1000` |
//! | `split_local` | `true` or `false` | `false` | |
//! | `consecutive_local` | failures in a row without an answer, or `"off"` | `5` | `1` to `1000` |
//! | `panic_threshold` | share of the endpoints | `0.5` | `0` to `1` |
//! | `ignored` | a list of [kinds](crate::FailureKind::as_str) of failure, or `"off"` | `["rate_limited", "validation"]` | |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the ejections | must be given | `0` to `100` |
//! | `success_rate` | a table, or `"off"` | `{}` | |
//! | `success_rate.deviations` | standard deviations | `1.9` | `0.1` to `10` |
//! | `success_rate.min_difference` | share of the calls | `0.05` | `0` to `1` |
//! | `success_rate.min_requests` | calls | `100` | `1` to `1000000` |
//! | `success_rate.min_endpoints` | endpoints | `5` | `1` to `100000` |
//! | `failure_share` | a table, or `"off"` | `{}` | |
//! | `failure_share.threshold` | share of the calls | `0.85` | `0.01` to `1` |
//! | `failure_share.min_requests` | calls | `50` | `1` to `1000000` |
//! | `failure_share.min_endpoints` | endpoints | `5` | `1` to `100000` |
//! | `slow_start` | a table, or `"off"` | `"off"` | |
//! | `slow_start.window` | time | `"30s"` | `"1s"` to `"24h"` |
//! | `slow_start.min_weight` | share of the weight | `0.1` | `0.01` to `1` |
//! | `slow_start.aggression` | power | `1.0` | `0.1` to `10` |
//!
//! What each does is told at [`balance::Config`](crate::balance::Config).
//!
//! # Fields of an observer
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `enabled` | `true` or `false` | `true` | |
//! | `durations` | `true` or `false` | `false` | |
//!
//! What each does is told at [`observe::Config`](crate::observe::Config).
//!
//! # Fields of a fallback
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `kinds` | a list of [kinds](crate::FailureKind::as_str) of failure, or `"off"` | all but data loss and validation | |
//! | `refusals` | `true` or `false` | `true` | |
//! | `mode` | `"enforce"`, `"shadow"`, `"disabled"`, or a table | `"enforce"` | |
//! | `mode.enforce_percent` | percent of the calls that are covered | must be given | `0` to `100` |
//!
//! What each does is told at [`fallback::Config`](crate::fallback::Config). A failover has the same.
//!
//! # Fields of reconnecting
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `connect_timeout` | time | `"5s"` | `"1ms"` to `"1h"` |
//! | `wait` | `true` or `false` | `false` | |
//! | `stable_after` | time | `"10s"` | `"0s"` to `"1h"` |
//! | `backoff` | a table as in [a retry](#fields-of-a-retry), with the defaults of that list for what it leaves out | exponential, 100 ms to 10 s | |
//!
//! What each does is told at [`reconnect::Config`](crate::reconnect::Config). A function of a backoff cannot stand in a
//! file.
//!
//! # Fields of chaos
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `enabled` | `true` or `false` | `false` | |
//! | `faults` | a list of [faults](#fields-of-a-fault), 100 at most | `[]` | |
//! | `schedule` | a table, or `"off"` | `"off"` | |
//! | `schedule.active` | time | must be given | `"1ms"` to `every` |
//! | `schedule.every` | time | must be given | `"1ms"` to `"1h"` |
//!
//! What each does is told at [`chaos::Config`](crate::chaos::Config).
//!
//! # Fields of a fault
//!
//! | field | value | default | range |
//! |---|---|---|---|
//! | `share` | share of the calls | must be given | `0` to `1` |
//! | `what` | `"response"`, `"panic"`, `"hang"`, or a table of one of the following | must be given | |
//! | `what.error` | a [kind](crate::FailureKind::as_str) of failure | none | |
//! | `what.latency` | time; or a table of one of the following | none | `"0s"` to `"1h"` |
//! | `what.latency.exponential` | time: the mean | none | `"0s"` to `"1h"` |
//! | `what.latency.uniform` | a list of two times: the least and the most | none | |
//! | `what.latency.normal` | a list of two times: the mean and the standard deviation | none | |
//! | `what.cut_body` | bytes | none | `0` to `1000000000000` |
//! | `what.bandwidth` | bytes in a second | none | `1` to `1000000000000` |
//!
//! What each does is told at [`chaos::FaultKind`](crate::chaos::FaultKind).
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
