//! What coalescing can be told.

use std::{error::Error, fmt, str::FromStr};

use crate::{ConfigError, Mode, check_range};

/// The most keys there can be at a time.
pub const MAX_KEYS: u32 = 1_000_000;
/// The most calls of one key that can wait.
pub const MAX_WAITING: u32 = 1_000_000;
/// The longest body that can be shared: it is held in memory as long as anyone reads it.
pub const MAX_BODY: u32 = 1024 * 1024 * 1024;
/// More different calls at a time are no stampede, and what they would share is not worth its memory.
pub const DEFAULT_MAX_KEYS: u32 = 10_000;
/// Enough for a stampede, and a bound on what one answer has to wake.
pub const DEFAULT_MAX_WAITING: u32 = 10_000;
/// As much as most answers need, and little enough to keep for every call in flight.
pub const DEFAULT_MAX_BODY: u32 = 1024 * 1024;

/// The rules of coalescing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Keys that may be in flight at a time (default 10,000); 1 to 1,000,000. Calls of further keys go by
    /// themselves.
    pub max_keys: u32,
    /// Calls of one key that may wait at a time (default 10,000); 1 to 1,000,000. Further ones go by themselves.
    pub max_waiting: u32,
    /// The longest body of a response that is shared, in bytes (default 1 MiB); 0 to 1 GiB. Who waits for a longer
    /// one makes a call of its own. Only for HTTP.
    pub max_body: u32,
    /// What becomes of those who wait when the call fails (default: they share the failure).
    pub on_failure: OnFailure,
    /// Whether answers are shared, or it is only counted that they could be (default: shared). By
    /// [`Mode::EnforcePercent`], so many percent of the calls that could wait do.
    pub mode: Mode,
}

/// What becomes of those who wait when the call that they wait for fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnFailure {
    /// They get the same failure. A dependency that is down is asked once for all of them.
    #[default]
    Share,
    /// Who has waited longest makes a call of its own, the others wait for that: one failure at a time. For failures
    /// that are the caller's own, such as those of its connection. Each of many waits for all before it, as long as
    /// the dependency fails.
    Promote,
}

impl OnFailure {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Share, Self::Promote];

    /// Its word, as it stands in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Promote => "promote",
        }
    }
}

impl fmt::Display for OnFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No word of an [`OnFailure`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownOnFailure(String);

impl fmt::Display for UnknownOnFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is neither 'share' nor 'promote'", self.0)
    }
}

impl Error for UnknownOnFailure {}

impl FromStr for OnFailure {
    type Err = UnknownOnFailure;

    fn from_str(word: &str) -> Result<Self, UnknownOnFailure> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == word);
        known.ok_or_else(|| UnknownOnFailure(word.to_owned()))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_keys: DEFAULT_MAX_KEYS,
            max_waiting: DEFAULT_MAX_WAITING,
            max_body: DEFAULT_MAX_BODY,
            on_failure: OnFailure::Share,
            mode: Mode::Enforce,
        }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("coalesce.max_keys", self.max_keys, 1..=MAX_KEYS)?;
        check_range("coalesce.max_waiting", self.max_waiting, 1..=MAX_WAITING)?;
        check_range("coalesce.max_body", self.max_body, 0..=MAX_BODY)?;
        self.mode.check("coalesce.mode.enforce_percent")
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn what_is_outside_its_range_names_its_field() {
        let base = Config::default;
        for (config, told) in [
            (Config { max_keys: 0, ..base() }, "coalesce.max_keys is 0: allowed is 1 to 1000000"),
            (Config { max_waiting: 0, ..base() }, "coalesce.max_waiting is 0: allowed is 1 to 1000000"),
            (
                Config { max_body: MAX_BODY + 1, ..base() },
                "coalesce.max_body is 1073741825: allowed is 0 to 1073741824",
            ),
            (
                Config { mode: Mode::EnforcePercent(101), ..base() },
                "coalesce.mode.enforce_percent is 101: allowed is 0 to 100",
            ),
        ] {
            assert_eq!(config.check().unwrap_err().to_string(), told);
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for known in OnFailure::ALL {
            assert_eq!(known.as_str().parse(), Ok(known));
        }
        let error = "both".parse::<OnFailure>().unwrap_err();
        assert_eq!(error.to_string(), "'both' is neither 'share' nor 'promote'");
    }
}
