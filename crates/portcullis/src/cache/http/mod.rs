//! What is different with HTTP.

mod control;
mod key;
mod rules;

pub use key::ByUri;
pub use rules::HttpRules;
