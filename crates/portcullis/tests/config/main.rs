//! Settings from files.
#![cfg(feature = "serde")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests, and what they share")]

mod arbitrary;
mod errors;
mod merging;
mod reading;
mod table;

use portcullis::config;

/// The settings in a TOML text.
fn settings(text: &str) -> config::Breaker {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}
