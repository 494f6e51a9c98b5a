//! What a cache can be told.

use std::{collections::BTreeSet, time::Duration};

use super::Windows;
use crate::{ConfigError, FailureKind, Mode, check_range};

/// As old as most of what is asked for again and again may be, and short enough that a wrong one is soon gone.
pub const DEFAULT_TTL: Duration = Duration::from_secs(60);
/// A tenth spreads what was kept together over six seconds of a minute.
pub const DEFAULT_JITTER: f64 = 0.1;
/// Some megabytes of answers of common size.
pub const DEFAULT_MAX_ENTRIES: u64 = 10_000;
/// Most there can be.
pub const MAX_ENTRIES: u64 = 100_000_000;
/// A refresh that takes longer than callers wait is stuck.
pub const DEFAULT_REFRESH_TIMEOUT: Duration = Duration::from_secs(30);
/// As many calls as one dependency gets at a time without that anybody waits for them.
pub const DEFAULT_MAX_REFRESHES: u32 = 64;

const SHORTEST: Duration = Duration::from_millis(1);
/// A year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const LONGEST_REFRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// The rules of a cache.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long what is kept is fresh, where nothing else is said for it (default 1 min); 1 ms to a year.
    pub ttl: Duration,
    /// The share of that by which it can be shorter, by chance (default 0.1); 0 to 0.5.
    pub jitter: f64,
    /// How long after that it is served at once, while another is fetched (default 0: not at all); up to a year.
    pub stale_while_revalidate: Duration,
    /// How long after the ttl it is served when the fetch of another fails (default 0: not at all); up to a year.
    pub stale_if_error: Duration,
    /// After failures of these kinds it is (default: all but [validation](FailureKind::Validation) and
    /// [data loss](FailureKind::DataLoss), which are the caller's to know).
    pub stale_kinds: BTreeSet<FailureKind>,
    /// Whether it is after refusals by policies below, such as an open breaker (default: it is).
    pub stale_on_refusal: bool,
    /// How long a failed answer is kept, and given to others (default: not at all); 1 ms to a year. Those that can be
    /// are told by the layer.
    pub negative_ttl: Option<Duration>,
    /// Most entries there are (default 10,000); 1 to 100,000,000.
    pub max_entries: u64,
    /// Most that all entries together weigh (default: they are not weighed); 1 to 4,294,967,295. A weight is in bytes, unless
    /// the program weighs by something else. What alone weighs more is not kept.
    pub max_weight: Option<u64>,
    /// How long a refresh in the background may take (default 30 s); 1 ms to 24 h.
    pub refresh_timeout: Duration,
    /// Refreshes in the background at a time (default 64); 1 to 10,000. Beyond, what is stale is served, and not
    /// refreshed.
    pub max_refreshes: u32,
    /// Whether what is kept is served, or only counted (default: served).
    pub mode: Mode,
}

impl Default for Config {
    fn default() -> Self {
        let others = [FailureKind::DataLoss, FailureKind::Validation];
        let kinds = FailureKind::ALL.into_iter().filter(|kind| !others.contains(kind));
        Self {
            ttl: DEFAULT_TTL,
            jitter: DEFAULT_JITTER,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            stale_kinds: kinds.collect(),
            stale_on_refusal: true,
            negative_ttl: None,
            max_entries: DEFAULT_MAX_ENTRIES,
            max_weight: None,
            refresh_timeout: DEFAULT_REFRESH_TIMEOUT,
            max_refreshes: DEFAULT_MAX_REFRESHES,
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
        check_range("cache.ttl", self.ttl, SHORTEST..=LONGEST)?;
        check_range("cache.jitter", self.jitter, 0.0..=0.5)?;
        let stale = self.stale_while_revalidate;
        check_range("cache.stale_while_revalidate", stale, Duration::ZERO..=LONGEST)?;
        check_range("cache.stale_if_error", self.stale_if_error, Duration::ZERO..=LONGEST)?;
        if !self.stale_if_error.is_zero() && self.stale_kinds.is_empty() && !self.stale_on_refusal {
            return Err(ConfigError::new(
                "cache.stale_kinds",
                &self.stale_kinds,
                "at least one, or refusals",
            ));
        }
        let negative = self.negative_ttl.unwrap_or(SHORTEST);
        check_range("cache.negative_ttl", negative, SHORTEST..=LONGEST)?;
        check_range("cache.max_entries", self.max_entries, 1..=MAX_ENTRIES)?;
        check_range("cache.max_weight", self.max_weight.unwrap_or(1), 1..=u64::from(u32::MAX))?;
        check_range("cache.refresh_timeout", self.refresh_timeout, SHORTEST..=LONGEST_REFRESH)?;
        check_range("cache.max_refreshes", self.max_refreshes, 1..=10_000)?;
        self.mode.check("cache.mode.enforce_percent")
    }

    /// How long what is kept now is fresh, and what it is then; before any jitter.
    pub fn windows(&self) -> Windows {
        Windows {
            ttl: self.ttl,
            while_revalidate: self.stale_while_revalidate,
            if_error: self.stale_if_error,
        }
    }

    /// The two bounds as one, for a store that has only one: what all entries together may take up, and what an entry
    /// of this weight takes up of that.
    ///
    /// With weights, an entry takes up at least the part of the whole that leaves room for no more than `max_entries`.
    ///
    /// ```
    /// use portcullis_core::cache::Config;
    ///
    /// let config = Config { max_entries: 10, max_weight: Some(1000), ..Config::default() };
    /// assert_eq!((config.room(), config.share(1), config.share(500)), (1000, 100, 500));
    /// let config = Config { max_entries: 10, ..Config::default() };
    /// assert_eq!((config.room(), config.share(500)), (10, 1));
    /// ```
    pub fn share(&self, weight: u64) -> u64 {
        match self.max_weight {
            Some(most) => weight.max(most.div_ceil(self.max_entries)),
            None => 1,
        }
    }

    /// What all [shares](Self::share) together may be.
    pub fn room(&self) -> u64 {
        self.max_weight.unwrap_or(self.max_entries)
    }

    /// Whether something stale is served after a failure of this kind.
    pub fn covers_kind(&self, kind: FailureKind) -> bool {
        self.stale_kinds.contains(&kind)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_defaults_are_valid_and_what_is_documented() {
        let config = Config::default();
        assert_eq!(config.check(), Ok(()));
        assert_eq!((config.ttl, config.jitter), (Duration::from_secs(60), 0.1));
        assert_eq!((config.stale_while_revalidate, config.stale_if_error), (Duration::ZERO, Duration::ZERO));
        assert_eq!((config.negative_ttl, config.max_weight), (None, None));
        assert_eq!((config.max_entries, config.max_refreshes), (10_000, 64));
        let not: Vec<_> = FailureKind::ALL.into_iter().filter(|kind| !config.covers_kind(*kind)).collect();
        assert_eq!(not, [FailureKind::DataLoss, FailureKind::Validation]);
    }

    #[test]
    fn what_cannot_work_names_its_field() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert!(
            with(|config| config.ttl = Duration::ZERO).starts_with("cache.ttl is 0ns: allowed is 1ms to ")
        );
        assert_eq!(with(|config| config.jitter = 0.6), "cache.jitter is 0.6: allowed is 0.0 to 0.5");
        assert!(with(|config| config.jitter = f64::NAN).starts_with("cache.jitter is NaN"));
        assert!(
            with(|config| config.stale_while_revalidate = Duration::MAX).starts_with("cache.stale_while_")
        );
        assert!(with(|config| config.stale_if_error = Duration::MAX).starts_with("cache.stale_if_error"));
        assert!(
            with(|config| config.negative_ttl = Some(Duration::ZERO))
                .starts_with("cache.negative_ttl is 0ns")
        );
        assert!(
            with(|config| config.max_entries = 0).starts_with("cache.max_entries is 0: allowed is 1 to ")
        );
        assert!(
            with(|config| config.max_weight = Some(0)).starts_with("cache.max_weight is 0: allowed is 1 to ")
        );
        assert!(with(|config| config.refresh_timeout = Duration::ZERO).starts_with("cache.refresh_timeout"));
        assert_eq!(
            with(|config| config.max_refreshes = 0),
            "cache.max_refreshes is 0: allowed is 1 to 10000"
        );
        assert!(
            with(|config| config.mode = Mode::EnforcePercent(101)).starts_with("cache.mode.enforce_percent")
        );
        let never = |config: &mut Config| {
            config.stale_if_error = Duration::from_secs(1);
            config.stale_kinds.clear();
            config.stale_on_refusal = false;
        };
        assert_eq!(with(never), "cache.stale_kinds is {}: allowed is at least one, or refusals");
    }

    proptest! {
        #[test]
        fn what_fits_keeps_both_bounds(
            max_entries in 1..=50u64,
            max_weight in proptest::option::of(1..=1000u64),
            weights in proptest::collection::vec(0..=2000u64, 0..100),
        ) {
            let config = Config { max_entries, max_weight, ..Config::default() };
            let (mut left, mut entries, mut weight) = (config.room(), 0, 0);
            for next in weights {
                let Some(rest) = left.checked_sub(config.share(next)) else { continue };
                (left, entries, weight) = (rest, entries + 1, weight + next);
            }
            prop_assert!(entries <= max_entries);
            prop_assert!(max_weight.is_none_or(|most| weight <= most));
        }
    }
}
