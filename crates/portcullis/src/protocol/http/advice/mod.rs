//! What a failing dependency asks for: when to be called again, or not at all.
//!
//! Nothing of it is trusted blindly: what cannot be read is as if it had not been said, what has passed is no
//! time, and nobody is told to wait longer than [`LONGEST`].

mod grpc;
mod http;
mod rate_limit;
#[cfg(feature = "grpc-details")]
mod retry_info;
#[cfg(test)]
mod tests;

pub(super) use grpc::{PUSHBACK, advised};
pub(super) use http::wait;

use std::time::Duration;

use ::http::HeaderMap;

/// Nobody is told to wait longer than this; what is asked beyond it is taken as this.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The header of this name, the first if there are several.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A number without a sign. More digits than fit are more than any cap.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}
