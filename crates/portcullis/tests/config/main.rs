//! Settings from files.
#![cfg(feature = "serde")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests, and what they share")]

mod adaptive_limits;
mod arbitrary;
mod arbitrary_retry;
mod bulkheads;
mod caches;
mod chaos;
mod coalescing;
mod draining;
mod errors;
mod fallbacks;
mod health_checks;
mod hedging;
mod keyed_bulkheads;
mod merging;
mod observers;
mod outliers;
mod pools;
mod probes;
mod rates;
mod reading;
mod reconnecting;
mod retrying;
#[cfg(feature = "schema")]
mod schema;
mod shedding;
mod table;
mod throttles;
mod timeouts;
mod values;

use portcullis::config;

/// The settings of a breaker in a TOML text.
fn settings(text: &str) -> config::Breaker {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// Those of a retry.
fn retry(text: &str) -> config::Retry {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}
