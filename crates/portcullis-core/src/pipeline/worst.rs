//! How long a call can take, and how many attempts it can become.

use std::{fmt, time::Duration};

use super::{Facts, Part, Place, What, show::ShowTime, wrong::budget};
use crate::retry::BudgetConfig;

/// The longest that things can take. Where there is no bound, there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// One attempt, with what it may wait for in lines before it begins.
    pub attempt: Option<Duration>,
    /// All attempts, with the waits between them.
    pub all_attempts: Option<Duration>,
    /// What the deadline leaves of that: the longest that a call can take. A fallback comes after it, and takes what it
    /// takes.
    pub call: Option<Duration>,
}

/// How many attempts calls can become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amplification {
    /// The most that one call can become: attempts times hedges.
    pub one_call: u64,
    /// The most that many calls become for each of them, as far as a budget says so.
    pub many_calls: Option<f64>,
    /// Attempts a second besides, which the budget allows however few calls there are.
    pub besides_per_second: u32,
}

fn facts(parts: &[Part], place: Place) -> Option<&Facts> {
    parts.iter().find(|part| part.place == place).map(|part| &part.facts)
}

/// The limit of a timeout that is one.
pub(super) fn limit(parts: &[Part], place: Place) -> Option<Duration> {
    match facts(parts, place).filter(|facts| facts.holds())?.what {
        What::Timeout { limit, .. } => Some(limit),
        _ => None,
    }
}

/// How long calls may stand in a part's line.
fn in_line(part: &Part) -> Duration {
    match part.facts.what {
        What::InFlight { max_queued, max_wait, .. } | What::RateLimit { max_queued, max_wait, .. }
            if max_queued > 0 && part.facts.acts() =>
        {
            max_wait
        }
        _ => Duration::ZERO,
    }
}

/// The longest that a call can take.
pub fn latency(parts: &[Part]) -> Latency {
    let waits = parts.iter().map(in_line).fold(Duration::ZERO, Duration::saturating_add);
    let attempt = limit(parts, Place::AttemptTimeout).map(|limit| limit.saturating_add(waits));
    let all_attempts = attempt.and_then(|one| hedged(parts, one)).and_then(|one| retried(parts, one));
    let call = match (limit(parts, Place::Deadline), all_attempts) {
        (Some(deadline), Some(all)) => Some(deadline.min(all)),
        (deadline, all) => deadline.or(all),
    };
    Latency { attempt, all_attempts, call }
}

/// With hedges beside it. Each is sent after a delay, and the last of them may be the one that answers.
fn hedged(parts: &[Part], attempt: Duration) -> Option<Duration> {
    match facts(parts, Place::Hedge).filter(|facts| facts.acts()).map(|facts| &facts.what) {
        Some(What::Hedge { max_attempts, delay, .. }) => {
            let (_, longest) = (*delay)?;
            // An attempt that failed before is followed at once.
            let until_last = longest.min(attempt).saturating_mul(max_attempts.saturating_sub(1));
            Some(until_last.saturating_add(attempt))
        }
        _ => Some(attempt),
    }
}

fn retried(parts: &[Part], attempt: Duration) -> Option<Duration> {
    match facts(parts, Place::Retry).filter(|facts| facts.acts()).map(|facts| &facts.what) {
        Some(What::Retry { max_attempts, waits, max_retry_after, total_time, .. }) => {
            let waits = (*waits)?;
            // What a dependency asks for comes before a wait of the backoff's own.
            let asked = max_retry_after.saturating_mul(max_attempts.saturating_sub(1));
            let all =
                attempt.saturating_mul(*max_attempts).saturating_add(waits.longest).saturating_add(asked);
            Some(total_time.map_or(all, |time| all.min(time.saturating_add(attempt))))
        }
        _ => Some(attempt),
    }
}

/// How many attempts calls can become.
pub fn amplification(parts: &[Part]) -> Amplification {
    let mut found = Amplification { one_call: 1, many_calls: Some(1.0), besides_per_second: 0 };
    for place in [Place::Retry, Place::Hedge] {
        let Some(facts) = facts(parts, place).filter(|facts| facts.acts()) else { continue };
        if let What::Retry { max_attempts, .. } | What::Hedge { max_attempts, .. } = facts.what {
            found.one_call = found.one_call.saturating_mul(max_attempts.into());
        }
        allowed(&mut found, facts);
    }
    found
}

/// What the budget makes of it. Retries and hedges share one, or there is only one of the two.
fn allowed(found: &mut Amplification, facts: &Facts) {
    let Some(budget) = budget(facts) else { return };
    match budget.config {
        BudgetConfig::Share { ratio, min_per_second } => {
            found.many_calls = Some(1.0 + ratio);
            found.besides_per_second = min_per_second;
        }
        BudgetConfig::Unlimited => found.many_calls = Some(found.one_call as f64),
        _ => found.many_calls = None,
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(call) = self.call else { return f.write_str("without end: nothing ends a call") };
        write!(f, "{}", ShowTime(call))?;
        match (self.all_attempts, self.attempt) {
            (Some(all), _) if all > call => {
                write!(f, ", where the deadline ends it; without it {}", ShowTime(all))
            }
            (Some(_), Some(one)) if one < call => write!(f, ", of which one attempt takes {}", ShowTime(one)),
            (None, _) => f.write_str(", where the deadline ends it"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Amplification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.one_call == 1 {
            return f.write_str("none: each call is one attempt");
        }
        write!(f, "one call is at most {} attempts; ", self.one_call)?;
        match self.many_calls {
            Some(share) if share >= self.one_call as f64 => {
                f.write_str("and so are all, for no budget says less")
            }
            Some(share) => {
                write!(f, "all together are at most {} times as many", (share * 100.0).round() / 100.0)?;
                match self.besides_per_second {
                    0 => Ok(()),
                    most => write!(f, ", and {most} a second"),
                }
            }
            None => f.write_str("all together are what the budget leaves"),
        }
    }
}
