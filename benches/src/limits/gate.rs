//! What decides whether a call may go to the server.

use portcullis_core::Time;
use portcullis_core::adaptive::{Limiter, Sample};

/// The record of a call that was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// When.
    pub started: Time,
    /// How many were in flight then, this one included.
    pub in_flight: u32,
}

/// What became of a call that was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The caller had his answer in time.
    Answered,
    /// He waited as long as he would, and gave up.
    GivenUp,
}

/// A limit, as the simulation sees it. The caller holds his [`Pass`] until he has his
/// answer or gives up; that the server still works for who gave up, nobody tells the gate.
pub trait Gate {
    /// Lets a call through, or refuses it.
    fn admit(&mut self, now: Time) -> Option<Pass>;

    /// Hears of the end of a call that was let through.
    fn settle(&mut self, pass: Pass, ending: Ending, now: Time);

    /// How many calls may be in flight now, where there is such a limit.
    fn limit(&self) -> Option<u32>;
}

/// Lets at most so many through at once; or any number.
pub(super) struct Fixed {
    limit: Option<u32>,
    in_flight: u32,
}

impl Fixed {
    pub(super) fn new(limit: Option<u32>) -> Self {
        Self { limit, in_flight: 0 }
    }
}

impl Gate for Fixed {
    fn admit(&mut self, now: Time) -> Option<Pass> {
        if self.limit.is_some_and(|limit| self.in_flight >= limit) {
            return None;
        }
        self.in_flight += 1;
        Some(Pass { started: now, in_flight: self.in_flight })
    }

    fn settle(&mut self, _pass: Pass, _ending: Ending, _now: Time) {
        self.in_flight -= 1;
    }

    fn limit(&self) -> Option<u32> {
        self.limit
    }
}

/// The library's own, as its layer drives it.
impl Gate for Limiter {
    fn admit(&mut self, now: Time) -> Option<Pass> {
        self.try_acquire().map(|in_flight| Pass { started: now, in_flight })
    }

    fn settle(&mut self, pass: Pass, ending: Ending, now: Time) {
        let sample = match ending {
            Ending::Answered => Sample::Success,
            // As with a timeout within the limit.
            Ending::GivenUp => Sample::Congested,
        };
        self.release(0, pass.started, pass.in_flight, sample, now);
    }

    fn limit(&self) -> Option<u32> {
        Some(Self::limit(self))
    }
}
