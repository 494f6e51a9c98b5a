//! What the parts of a pipeline must know of each other.

use std::{collections::BTreeSet, time::Duration};

use super::Place;
use crate::{
    FailureKind, Mode, Name,
    retry::{After, Backoff, BudgetConfig, Curve},
};

/// One policy of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Where it stands.
    pub place: Place,
    /// The policy's name.
    pub name: Name,
    /// Its settings.
    pub facts: Facts,
    /// How it knows which calls may be made twice. Only retries and hedges ask.
    pub repeats: Repeats,
}

/// How a layer that makes calls again knows which may be made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// It was told for its calls.
    Told,
    /// It reads it from each request: its method, a header, a mark in the extensions.
    FromRequest,
    /// It does not.
    Unknown,
}

/// The settings of a policy that matter to others.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Whether it does what it says.
    pub mode: Mode,
    /// What it does.
    pub what: What,
}

impl Facts {
    /// Of a policy that enforces what it says.
    pub const fn of(what: What) -> Self {
        Self { mode: Mode::Enforce, what }
    }

    /// Of one policy for each key: what it bounds is not what all of them come to.
    #[must_use]
    pub fn by_key(self) -> Self {
        let what = match self.what {
            What::InFlight { .. } | What::AdaptiveLimit { .. } | What::RateLimit { .. } | What::Other(_) => {
                What::Other(format!("for each key {}", self.what))
            }
            what => what,
        };
        Self { what, ..self }
    }

    /// Whether it is to be thought of at all: what is disabled is as good as absent, and what only counts is there to be
    /// enforced one day.
    pub(super) fn is_there(&self) -> bool {
        self.mode != Mode::Disabled
    }

    /// Whether it does something to some calls.
    pub(super) fn acts(&self) -> bool {
        self.mode.share() > 0.0
    }

    /// Whether it does what it says to every call, so that its bounds are bounds.
    pub(super) fn holds(&self) -> bool {
        self.mode.share() >= 1.0
    }
}

/// What a policy does, by kind.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// A time limit.
    Timeout {
        /// The longest that a call may take.
        limit: Duration,
        /// Whether it follows how long calls take, below that.
        adaptive: bool,
    },
    /// Attempts after one that failed.
    Retry {
        /// Attempts in total.
        max_attempts: u32,
        /// The waits between them, when a function does not say.
        waits: Option<Waits>,
        /// The longest wait that a dependency can ask for.
        max_retry_after: Duration,
        /// No wait begins that would end later.
        total_time: Option<Duration>,
        /// What retries may come to.
        budget: Budget,
    },
    /// Attempts beside one that is late.
    Hedge {
        /// Attempts in total.
        max_attempts: u32,
        /// The shortest and the longest time before the next is sent, when a function does not say.
        delay: Option<(Duration, Duration)>,
        /// What hedges may come to.
        budget: Budget,
    },
    /// A circuit breaker.
    Breaker {
        /// The rules that can open it.
        rules: Vec<BreakerRule>,
        /// Probes at a time.
        permits: u32,
        /// How long it stays open the first time.
        open_for: Duration,
    },
    /// A limit on calls in flight, or on threads.
    InFlight {
        /// Calls at a time.
        max: u32,
        /// Calls that may wait.
        max_queued: u32,
        /// How long they may.
        max_wait: Duration,
    },
    /// A limit on calls in flight that finds itself.
    AdaptiveLimit {
        /// The least that it may come to.
        min: u32,
        /// The most.
        max: u32,
    },
    /// A limit on calls in a time.
    RateLimit {
        /// Calls in a period.
        permits: u32,
        /// The period.
        period: Duration,
        /// Calls at once after a pause.
        burst: u32,
        /// Calls that may wait.
        max_queued: u32,
        /// How long they may.
        max_wait: Duration,
    },
    /// Something else in place of calls that failed.
    Fallback {
        /// Failures of these kinds are covered.
        kinds: BTreeSet<FailureKind>,
        /// Whether refusals are.
        refusals: bool,
    },
    /// Anything else, in a few words.
    Other(String),
}

/// The waits before attempts after the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// Before the second attempt, at least.
    pub first: Duration,
    /// All together at least.
    pub shortest: Duration,
    /// All together at most, unless the dependency asks for more.
    pub longest: Duration,
}

impl Waits {
    /// Those of a backoff between so many attempts; none where a function says how long.
    pub fn of(backoff: &Backoff, max_attempts: u32) -> Option<Self> {
        if matches!(backoff.curve, Curve::Function(_)) {
            return None;
        }
        let failure = crate::Failure::new(FailureKind::Other);
        let between = |retry| {
            let wait =
                |previous, random| backoff.delay(&After { retry, failure: &failure, previous }, random);
            let (one, other) = (wait(Duration::ZERO, 0), wait(backoff.cap, u64::MAX));
            (one.min(other), one.max(other))
        };
        let mut waits = Self::default();
        for retry in 1..max_attempts {
            let (shortest, longest) = between(retry);
            if retry == 1 {
                waits.first = shortest;
            }
            waits.shortest = waits.shortest.saturating_add(shortest);
            waits.longest = waits.longest.saturating_add(longest);
        }
        Some(waits)
    }
}

/// What attempts after the first may come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Its name.
    pub name: Name,
    /// What tells it from others, for as long as it lives; none where each key has its own.
    pub id: Option<usize>,
    /// Its rules.
    pub config: BudgetConfig,
    /// Whether calls count towards it here, or where another layer is.
    pub counts_calls: bool,
}

/// A rule that can open a breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BreakerRule {
    /// Failures in a row.
    Consecutive(u32),
    /// A share of the last calls.
    Ratio {
        /// The share.
        ratio: f64,
        /// Of so many calls.
        window: u32,
        /// Not before so many.
        minimum_calls: u32,
    },
    /// A share of the calls of a time.
    InTime {
        /// The share.
        ratio: f64,
        /// The time.
        span: Duration,
        /// Not before so many calls within it.
        minimum_calls: u32,
    },
    /// A share of slow calls.
    Slow {
        /// What is slow.
        after: Duration,
        /// The share.
        ratio: f64,
    },
    /// Something else.
    Other,
}
