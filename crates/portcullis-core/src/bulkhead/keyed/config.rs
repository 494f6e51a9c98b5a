//! What a bulkhead by key can be told.

use std::time::Duration;

use crate::{
    ConfigError, Mode,
    bulkhead::{DEFAULT_MAX_IN_FLIGHT, DEFAULT_MAX_QUEUED, DEFAULT_MAX_WAIT, MAX_PERMITS},
    check_range,
};

/// The rules of a bulkhead by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Permits for all keys together (default 100); 1 to 1,000,000.
    pub overall: u32,
    /// Permits that one key may hold of them (default: as many as is [fair](super#who-gets-a-permit)); 1 to
    /// `overall`.
    pub per_key: Option<u32>,
    /// Calls of all keys that may wait for a permit (default 0); 0 to 1,000,000. With 0 a call is refused at
    /// once.
    pub max_queued: u32,
    /// How long a call may wait (default 1 s); 1 ms to 1 h. Who waits already keeps what it was.
    pub max_wait: Duration,
    /// Whether calls are refused, or only counted (default: refused). In [shadow](Mode::Shadow) none waits
    /// either.
    pub mode: Mode,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            overall: DEFAULT_MAX_IN_FLIGHT,
            per_key: None,
            max_queued: DEFAULT_MAX_QUEUED,
            max_wait: DEFAULT_MAX_WAIT,
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
        check_range("bulkhead.overall", self.overall, 1..=MAX_PERMITS)?;
        self.per_key.map_or(Ok(()), |most| check_range("bulkhead.per_key", most, 1..=self.overall))?;
        check_range("bulkhead.max_queued", self.max_queued, 0..=MAX_PERMITS)?;
        check_range(
            "bulkhead.max_wait",
            self.max_wait,
            Duration::from_millis(1)..=Duration::from_secs(3600),
        )?;
        self.mode.check("bulkhead.mode.enforce_percent")
    }
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_range() {
        let refused = |config: Config| config.check().unwrap_err().to_string();
        let base = Config::default;
        assert_eq!(base().check(), Ok(()));
        assert_eq!(
            refused(Config { overall: 0, ..base() }),
            "bulkhead.overall is 0: allowed is 1 to 1000000"
        );
        let key = |per_key| Config { per_key: Some(per_key), ..base() };
        assert_eq!((key(1).check(), key(100).check()), (Ok(()), Ok(())));
        assert_eq!(refused(key(0)), "bulkhead.per_key is 0: allowed is 1 to 100");
        assert_eq!(refused(key(101)), "bulkhead.per_key is 101: allowed is 1 to 100");
        let queue = Config { max_queued: MAX_PERMITS + 1, ..base() };
        assert_eq!(refused(queue), "bulkhead.max_queued is 1000001: allowed is 0 to 1000000");
        assert!(
            refused(Config { max_wait: Duration::ZERO, ..base() }).starts_with("bulkhead.max_wait is 0ns")
        );
        let mode = Config { mode: Mode::EnforcePercent(101), ..base() };
        assert!(refused(mode).starts_with("bulkhead.mode.enforce_percent is 101"));
    }
}
