//! The tower contract as tests for any layer, and scripted services to test against.
//!
//! Three parts, none of which knows Portcullis: they serve any [`tower::Layer`].
//!
//! - [`mod@laws`]: puts a layer around strict inner services and checks it against the tower contract.
//!   One line, [`laws!`], makes a module of tests.
//! - [`script`]: a service that answers, fails, hangs or waits as told, and counts how it was used.
//! - [`compile`]: checks kept by the compiler, that hosts will take a layer.
//!
//! ```
//! use std::time::Duration;
//! use tower::timeout::TimeoutLayer;
//!
//! portcullis_testkit::laws!(timeout, || TimeoutLayer::new(Duration::from_secs(30)));
//! portcullis_testkit::assert_layer!(TimeoutLayer::new(Duration::from_secs(30)));
//! # fn main() {}
//! ```
//!
//! For tests only: a dev-dependency, never a normal one.

#![forbid(unsafe_code)]

pub mod compile;
pub mod laws;
pub mod script;
