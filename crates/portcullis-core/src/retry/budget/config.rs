//! The rules of a budget.

use std::ops::RangeInclusive;

use crate::{ConfigError, check_range};

/// One retry for five calls: a dead dependency sees a fifth more load, not three times as much.
pub const DEFAULT_RATIO: f64 = 0.2;
/// Enough that a service with little traffic can retry at all.
pub const DEFAULT_MIN_PER_SECOND: u32 = 10;
/// Envoy's: a service with few calls in flight can retry, and three more calls hurt nobody.
pub const DEFAULT_MIN_CONCURRENT: u32 = 3;
/// The example of gRFC A6, which has no default: five failures in a row, and retries stop.
pub const DEFAULT_MAX_TOKENS: u32 = 10;
/// The example of gRFC A6: retries go on as long as less than one call in eleven fails.
pub const DEFAULT_TOKEN_RATIO: f64 = 0.1;
/// That of the AWS SDKs: a hundred retries that fail.
pub const DEFAULT_CAPACITY: u32 = 500;
/// That of the AWS SDKs: five calls that succeed pay for one retry that fails.
pub const DEFAULT_RETRY_COST: u32 = 5;
/// That of the AWS SDKs: a timeout has held on to the dependency for longer than an error.
pub const DEFAULT_TIMEOUT_COST: u32 = 10;
/// That of the AWS SDKs: recovery is slow on purpose.
pub const DEFAULT_SUCCESS_INCOME: u32 = 1;

const SHARES: RangeInclusive<f64> = 0.0..=1.0;
const COUNTS: RangeInclusive<u32> = 0..=1_000_000;
const COSTS: RangeInclusive<u32> = 1..=1_000_000;

/// What a budget allows.
///
/// | kind | allows a retry when | of |
/// |---|---|---|
/// | share (default) | calls and time have paid for it | Finagle |
/// | concurrent | few enough are in flight, next to the calls | Envoy |
/// | throttle | more calls succeed than fail | gRFC A6 |
/// | cost | those that failed have not used it up | the AWS SDKs' standard mode |
///
/// A share holds whatever happens. A limit of what is in flight needs no time to fill, and lets more through
/// the faster calls fail. The other two go by outcomes: while all is well they allow every retry.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::retry::BudgetConfig;
///
/// for config in [BudgetConfig::share(0.1, 5), BudgetConfig::throttle(100, 0.5), BudgetConfig::COST] {
///     config.check()?;
/// }
/// let error = BudgetConfig::share(1.5, 5).check().unwrap_err();
/// assert_eq!(error.to_string(), "budget.ratio is 1.5: allowed is 0.0 to 1.0");
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum BudgetConfig {
    /// Over any stretch of `t` seconds at most `ratio * calls + min_per_second * t` retries, and what had
    /// been saved up, which is at most `max(min_per_second, 2)`.
    Share {
        /// Retries each call pays for (default 0.2); 0 to 1.
        ratio: f64,
        /// Retries a second that are allowed whatever the number of calls (default 10); 0 to 1,000,000. Also
        /// how many retries can be saved up, with a least of 2.
        min_per_second: u32,
    },
    /// A retry begins when fewer retries are in flight than `max(min_concurrent, ratio * calls in flight)`.
    /// A call that waits for a retry is in flight.
    Concurrent {
        /// Retries for each call in flight (default 0.2); 0 to 1.
        ratio: f64,
        /// Retries in flight that are allowed whatever the number of calls (default 3); 0 to 1,000,000.
        min_concurrent: u32,
    },
    /// A bucket that begins full; a failed attempt takes a token, one that succeeded adds `token_ratio`. A
    /// retry begins when more than half of the tokens are there.
    Throttle {
        /// Tokens of the full bucket (default 10); 1 to 1000.
        max_tokens: u32,
        /// Tokens for a success (default 0.1); 0.001 to 1000, of which three decimals count.
        token_ratio: f64,
    },
    /// A bucket that begins full; a retry takes its cost out, and puts it back when it succeeds.
    Cost {
        /// What the full bucket holds (default 500); 0 to 1,000,000.
        capacity: u32,
        /// What a retry takes (default 5); 1 to 1,000,000.
        retry: u32,
        /// What a retry after a timeout takes (default 10); 1 to 1,000,000.
        timeout: u32,
        /// What a call that needed no retry puts in (default 1); 0 to 1,000,000.
        success: u32,
    },
    /// Every retry. A dead dependency sees all attempts of all calls.
    Unlimited,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self::SHARE
    }
}

impl BudgetConfig {
    /// A fifth of the calls, and 10 a second: the default.
    pub const SHARE: Self = Self::share(DEFAULT_RATIO, DEFAULT_MIN_PER_SECOND);
    /// A fifth of the calls in flight, or 3.
    pub const CONCURRENT: Self = Self::concurrent(DEFAULT_RATIO, DEFAULT_MIN_CONCURRENT);
    /// 10 tokens, and 0.1 for a success.
    pub const THROTTLE: Self = Self::throttle(DEFAULT_MAX_TOKENS, DEFAULT_TOKEN_RATIO);
    /// 500, of which a retry takes 5, one after a timeout 10, and to which a first success adds 1.
    pub const COST: Self = Self::Cost {
        capacity: DEFAULT_CAPACITY,
        retry: DEFAULT_RETRY_COST,
        timeout: DEFAULT_TIMEOUT_COST,
        success: DEFAULT_SUCCESS_INCOME,
    };

    /// See [`Share`](Self::Share).
    pub const fn share(ratio: f64, min_per_second: u32) -> Self {
        Self::Share { ratio, min_per_second }
    }

    /// See [`Concurrent`](Self::Concurrent).
    pub const fn concurrent(ratio: f64, min_concurrent: u32) -> Self {
        Self::Concurrent { ratio, min_concurrent }
    }

    /// See [`Throttle`](Self::Throttle).
    pub const fn throttle(max_tokens: u32, token_ratio: f64) -> Self {
        Self::Throttle { max_tokens, token_ratio }
    }

    /// The kind's word, as it stands in metrics and JSON.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Share { .. } => "share",
            Self::Concurrent { .. } => "concurrent",
            Self::Throttle { .. } => "throttle",
            Self::Cost { .. } => "cost",
            Self::Unlimited => "unlimited",
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        match *self {
            Self::Share { ratio, min_per_second } => {
                check_range("budget.ratio", ratio, SHARES)?;
                check_range("budget.min_per_second", min_per_second, COUNTS)
            }
            Self::Concurrent { ratio, min_concurrent } => {
                check_range("budget.ratio", ratio, SHARES)?;
                check_range("budget.min_concurrent", min_concurrent, COUNTS)
            }
            Self::Throttle { max_tokens, token_ratio } => {
                check_range("budget.max_tokens", max_tokens, 1..=1000)?;
                check_range("budget.token_ratio", token_ratio, 0.001..=1000.0)
            }
            Self::Cost { capacity, retry, timeout, success } => {
                check_range("budget.capacity", capacity, COUNTS)?;
                check_range("budget.retry", retry, COSTS)?;
                check_range("budget.timeout", timeout, COSTS)?;
                check_range("budget.success", success, COUNTS)
            }
            Self::Unlimited => Ok(()),
        }
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_field_outside_its_range_is_named() {
        let cost =
            |capacity, retry, timeout, success| BudgetConfig::Cost { capacity, retry, timeout, success };
        let wrong = [
            ("budget.ratio", BudgetConfig::share(-0.1, 0)),
            ("budget.ratio", BudgetConfig::share(f64::NAN, 0)),
            ("budget.min_per_second", BudgetConfig::share(0.1, u32::MAX)),
            ("budget.ratio", BudgetConfig::concurrent(1.1, 0)),
            ("budget.min_concurrent", BudgetConfig::concurrent(0.1, u32::MAX)),
            ("budget.max_tokens", BudgetConfig::throttle(0, 0.1)),
            ("budget.max_tokens", BudgetConfig::throttle(1001, 0.1)),
            ("budget.token_ratio", BudgetConfig::throttle(10, 0.0)),
            ("budget.capacity", cost(u32::MAX, 1, 1, 1)),
            ("budget.retry", cost(500, 0, 1, 1)),
            ("budget.timeout", cost(500, 1, 0, 1)),
            ("budget.success", cost(500, 1, 1, u32::MAX)),
        ];
        for (field, config) in wrong {
            assert_eq!(config.check().unwrap_err().field(), field);
        }
    }

    #[test]
    fn every_default_is_valid() {
        for config in [
            BudgetConfig::SHARE,
            BudgetConfig::CONCURRENT,
            BudgetConfig::THROTTLE,
            BudgetConfig::COST,
            BudgetConfig::Unlimited,
        ] {
            config.check().unwrap();
        }
        assert_eq!(BudgetConfig::default(), BudgetConfig::SHARE);
    }
}
