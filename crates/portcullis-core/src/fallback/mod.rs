//! The fallback: for which failures something else is answered.
//!
//! ```
//! use portcullis_core::{FailureKind, fallback::Config};
//!
//! let config = Config::default();
//! assert!(config.covers_kind(FailureKind::Timeout));
//! assert!(!config.covers_kind(FailureKind::Validation));
//! ```

mod config;

pub use config::Config;
