//! The console of the protected gateway's policies.
//!
//! ```text
//! let app = app.nest_service(policies::PATH, policies::router(registry, &policies::token())?);
//! ```

use std::hash::{BuildHasher as _, RandomState};

use axum::Router;
use portcullis::{ConfigError, Registry};

/// Below the storm's own page.
pub(super) const PATH: &str = "/portcullis";

/// The name of whoever has the token, as audit events tell it.
const NAME: &str = "storm";

/// A token for this run alone. The keys of std's hasher come from the system's random numbers.
pub(super) fn token() -> String {
    let random = RandomState::new();
    format!("{:016x}{:016x}", random.hash_one(1), random.hash_one(2))
}

/// The page and its API: for all on this machine to look at, and for whoever read the token to change.
pub(super) fn router(registry: &Registry, token: &str) -> Result<Router, ConfigError> {
    let console = portcullis_console::Console::builder(registry);
    let console = console.service("storm").token(NAME, token).open_on_loopback(true);
    Ok(console.build()?.router())
}
