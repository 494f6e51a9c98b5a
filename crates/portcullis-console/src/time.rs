//! Times of day, as RFC 3339 has them.

use std::time::{Duration, SystemTime};

use portcullis::{Time, clock};

/// Now, in milliseconds.
pub(crate) fn now() -> String {
    ago(Duration::ZERO)
}

/// When this was.
pub(crate) fn of(at: Time) -> String {
    ago(clock::now().since(at))
}

/// This long ago.
pub(crate) fn ago(age: Duration) -> String {
    #[expect(clippy::disallowed_methods, reason = "for people to read, and for nothing that is decided")]
    let now = SystemTime::now();
    // Times before 1970 cannot be written down.
    let at = now.checked_sub(age).map_or(SystemTime::UNIX_EPOCH, |at| at.max(SystemTime::UNIX_EPOCH));
    humantime::format_rfc3339_millis(at).to_string()
}
