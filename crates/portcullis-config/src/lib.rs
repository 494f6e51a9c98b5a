//! Settings of a whole service from one file, or a few: defaults, inheritance, environments and variables.
//!
//! [`portcullis::config`] says what can be set of a single policy. Here is what stands around that in a file, in TOML,
//! YAML or JSON:
//!
//! | table | is |
//! |---|---|
//! | `KIND.NAME`, such as `breaker.inventory` | the settings of a policy |
//! | `KIND.NAME.base` | the name of another policy of the kind, whose settings are those that are not given |
//! | `defaults.KIND` | settings of all policies of a kind |
//! | `environments.ENV.KIND.NAME`, `environments.ENV.defaults.KIND` | settings that differ in an environment |
//!
//! What counts for more, from the least: what is documented as the default, `defaults`, those of the environment, those
//! of [variables](Builder::variables); then the policy's base, what the environment and variables say of that; then the
//! policy itself, what the environment says of it, and variables. Single fields are inherited, and a field that is a
//! table is taken as a whole. A `preset` is what all other fields start from: with one, nothing is left of what counts
//! for less.
//!
//! An error tells the file, the line and the column of what is wrong, also if it was inherited, or the variable.
//!
//! ```
//! use portcullis_config::{Format, Settings};
//!
//! let text = r#"
//! [defaults.retry]
//! max_attempts = 1000
//!
//! [retry.orders]
//! total_time = "2s"
//! "#;
//! let settings = Settings::builder().text("shop.toml", Format::Toml, text).load()?;
//! assert_eq!(
//!     settings.retry("orders").unwrap_err().to_string(),
//!     "shop.toml:3:16: retry.orders: retry.max_attempts is 1000: allowed is 1 to 100"
//! );
//! # Ok::<(), portcullis_config::Error>(())
//! ```
//!
//! A table `pipeline.NAME` says of which of these a [pipeline](portcullis::pipeline) is made: see [`Parts`].
//!
//! With the feature `schema` there is a JSON Schema of such files, which `portcullis schema` prints, and by which editors
//! complete them.
//!
//! Policies that run follow their file with [`Live`]; with the feature `watch`, as soon as it changes.
#![forbid(unsafe_code)]

mod builder;
mod de;
mod error;
mod layer;
mod live;
mod node;
mod parse;
mod pipeline;
mod place;
#[cfg(feature = "schema")]
mod schema;
mod section;
mod settings;
mod variables;

pub use builder::Builder;
pub use error::Error;
#[cfg(feature = "watch")]
pub use live::Watch;
pub use live::{Errors, Follow, Live};
pub use parse::Format;
pub use pipeline::{ClientBuilder, Parts, ServerBuilder};
pub use place::Place;
#[cfg(feature = "schema")]
pub use schema::schema;
pub use section::Section;
pub use settings::Settings;
