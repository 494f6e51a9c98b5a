//! Settings for people, in a few words.

use std::{fmt, time::Duration};

use super::{BreakerRule, Budget, Waits, What};
use crate::retry::BudgetConfig;

/// A time as people write it, to three digits: `250ms`, `1.5s`, `2m`.
pub(super) struct ShowTime(pub(super) Duration);

impl fmt::Display for ShowTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_secs_f64() * 1e3;
        if self.0.is_zero() {
            f.write_str("0s")
        } else if self.0 >= Duration::from_secs(120)
            && self.0.subsec_millis() == 0
            && self.0.as_secs() % 60 == 0
        {
            write!(f, "{}m", self.0.as_secs() / 60)
        } else if millis >= 1e3 {
            write!(f, "{}s", (millis / 10.0).round() / 100.0)
        } else if millis >= 1.0 {
            write!(f, "{}ms", (millis * 100.0).round() / 100.0)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

/// A share in percent.
pub(super) struct Percent(pub(super) f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", (self.0 * 1e4).round() / 1e2)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout { limit, adaptive: false } => write!(f, "{}", ShowTime(*limit)),
            Self::Timeout { limit, adaptive: true } => write!(f, "adaptive, at most {}", ShowTime(*limit)),
            Self::Retry { max_attempts, waits, budget, .. } => {
                write!(f, "{max_attempts} attempts, {}, budget {budget}", ShowWaits(*waits))
            }
            Self::Hedge { max_attempts, delay, budget } => {
                write!(f, "{max_attempts} attempts, {}, budget {budget}", ShowDelay(*delay))
            }
            Self::Breaker { rules, open_for, .. } => {
                f.write_str("opens")?;
                for (n, rule) in rules.iter().enumerate() {
                    write!(f, "{} {rule}", if n == 0 { "" } else { " or" })?;
                }
                write!(f, ", for {}", ShowTime(*open_for))
            }
            Self::InFlight { max, max_queued, max_wait } => {
                write!(f, "{max} at a time")?;
                Queue(*max_queued, *max_wait).fmt(f)
            }
            Self::AdaptiveLimit { min, max } => write!(f, "{min} to {max} at a time"),
            Self::RateLimit { permits, period, burst, max_queued, max_wait } => {
                write!(f, "{permits} in {}, {burst} at once", ShowTime(*period))?;
                Queue(*max_queued, *max_wait).fmt(f)
            }
            Self::Fallback { kinds, refusals } => {
                let kinds = kinds.iter().map(|kind| kind.as_str()).chain(refusals.then_some("refusals"));
                write!(f, "for {}", kinds.collect::<Vec<_>>().join(", "))
            }
            Self::Other(words) => f.write_str(words),
        }
    }
}

struct Queue(u32, Duration);

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(0, _) => Ok(()),
            Self(most, wait) => write!(f, ", {most} may wait for {}", ShowTime(*wait)),
        }
    }
}

struct ShowWaits(Option<Waits>);

impl fmt::Display for ShowWaits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("waits by a function"),
            Some(waits) if waits.longest.is_zero() => f.write_str("no waits"),
            Some(waits) => write!(f, "waits of {} in all", ShowTime(waits.longest)),
        }
    }
}

struct ShowDelay(Option<(Duration, Duration)>);

impl fmt::Display for ShowDelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("after a time by a function"),
            Some((least, most)) if least == most => write!(f, "after {}", ShowTime(least)),
            Some((least, most)) => write!(f, "after {} to {}", ShowTime(least), ShowTime(most)),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.config {
            BudgetConfig::Share { ratio, min_per_second } => {
                write!(f, "{} of calls and {min_per_second} a second", Percent(ratio))
            }
            BudgetConfig::Concurrent { ratio, min_concurrent } => {
                write!(f, "{} of calls in flight, or {min_concurrent}", Percent(ratio))
            }
            BudgetConfig::Throttle { max_tokens, token_ratio } => {
                write!(f, "{max_tokens} tokens, {token_ratio} for a success")
            }
            BudgetConfig::Cost { capacity, retry, .. } => {
                write!(f, "{capacity}, of which a retry takes {retry}")
            }
            BudgetConfig::Unlimited => f.write_str("without end"),
        }
    }
}

impl fmt::Display for BreakerRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Consecutive(failures) => write!(f, "after {failures} failures in a row"),
            Self::Ratio { ratio, window, .. } => {
                write!(f, "at {} of the last {window} calls", Percent(ratio))
            }
            Self::InTime { ratio, span, .. } => {
                write!(f, "at {} of the last {}", Percent(ratio), ShowTime(span))
            }
            Self::Slow { after, ratio } => write!(f, "at {} slower than {}", Percent(ratio), ShowTime(after)),
            Self::Other => f.write_str("by another rule"),
        }
    }
}
