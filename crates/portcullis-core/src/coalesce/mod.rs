//! Coalescing: how many calls may share the answer of one, and what is shared.
//!
//! ```
//! use portcullis_core::coalesce::{Config, OnFailure};
//!
//! let config = Config::default();
//! assert_eq!((config.max_body, config.on_failure), (1024 * 1024, OnFailure::Share));
//! ```

mod config;

pub use config::{
    Config, DEFAULT_MAX_BODY, DEFAULT_MAX_KEYS, DEFAULT_MAX_WAITING, MAX_BODY, MAX_KEYS, MAX_WAITING,
    OnFailure, UnknownOnFailure,
};
