//! What is offered to the server, and what befalls it.

use std::ops::Range;
use std::time::Duration;

use portcullis_core::Time;

/// Calls per second that a server can do when it is not slow: its slots over its mean.
pub const CAPACITY: f64 = 1600.0;
/// How much longer it takes while it is slow.
pub const SLOWER: u32 = 5;
/// How long a caller waits. An answer after that is worth nothing to him; the server
/// does not know that he is gone, and does the work all the same.
pub const PATIENCE: Duration = Duration::from_secs(1);
/// What is offered, as multiples of the capacity.
pub const LOADS: [f64; 7] = [0.5, 0.8, 1.0, 1.5, 2.0, 5.0, 10.0];
/// Those of which the steps are shown: a server with some room to spare, one that has too
/// little, and one that is flooded.
pub const STEPPED: [f64; 3] = [0.8, 2.0, 10.0];
/// The load at which it is seen how fast a limit that is far off at first is found.
pub const STARTED: f64 = 2.0;
/// Such limits: far too low, the library's own, far too high.
pub const INITIALS: [u32; 3] = [1, 20, 1000];
/// Those at which the limits stand before the other server.
pub const MOVED: [f64; 3] = [0.8, 2.0, 10.0];
/// One run each; the tables have the medians.
pub const SEEDS: Range<u64> = 1..6;

/// What a server is made of. All can do [`CAPACITY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Calls it works on at once.
    pub slots: usize,
    /// The mean of its service time, which is exponential.
    pub service: Duration,
}

impl Machine {
    /// That of nearly all runs.
    pub const QUICK: Self = Self { slots: 16, service: Duration::from_millis(10) };
    /// Another one, for which nobody has chosen a limit.
    pub const WIDE: Self = Self { slots: 64, service: Duration::from_millis(40) };

    /// What 1 % of the calls exceed when there is no queue: the quantile of the exponential
    /// distribution, the mean times ln 100.
    pub fn unloaded_p99(self) -> Duration {
        self.service.mul_f64(libm::log(100.0))
    }

    /// The mean of a service that begins now.
    pub fn service_at(self, now: Time) -> Duration {
        self.service * Phase::at(now).factor()
    }
}

/// A part of every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// From nothing in flight and every limit at its initial value.
    Start,
    /// What is measured under steady load.
    Steady,
    /// Every service takes [`SLOWER`] times as long.
    Slow,
    /// The server is itself again.
    Back,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Start, Self::Steady, Self::Slow, Self::Back];

    /// Its length.
    pub const fn length(self) -> Duration {
        match self {
            Self::Start => Duration::from_secs(20),
            Self::Steady => Duration::from_secs(40),
            Self::Slow => Duration::from_secs(30),
            Self::Back => Duration::from_secs(60),
        }
    }

    /// When it begins.
    pub fn begin(self) -> Time {
        let before = Self::ALL.into_iter().take_while(|phase| *phase != self);
        before.fold(Time::ORIGIN, |time, phase| time + phase.length())
    }

    /// When it ends.
    pub fn end(self) -> Time {
        self.begin() + self.length()
    }

    /// The phase at this time; what is after the last one belongs to it.
    pub fn at(now: Time) -> Self {
        Self::ALL.into_iter().find(|phase| now < phase.end()).unwrap_or(Self::Back)
    }

    /// How much longer than usual a service takes.
    pub const fn factor(self) -> u32 {
        match self {
            Self::Slow => SLOWER,
            Self::Start | Self::Steady | Self::Back => 1,
        }
    }

    /// Calls per second that can be answered well: what is offered or what the server
    /// can do, whichever is less.
    pub fn possible(self, load: f64) -> f64 {
        CAPACITY * load.min(1.0 / f64::from(self.factor()))
    }
}

/// One run: every phase at one load, with one seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// To whom.
    pub machine: Machine,
    /// What is offered, as a multiple of [`CAPACITY`].
    pub load: f64,
    /// Arrivals are the same for every candidate, and so is the n-th service.
    pub seed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phases_follow_each_other() {
        assert_eq!(Phase::Start.begin(), Time::ORIGIN);
        for pair in Phase::ALL.windows(2) {
            assert_eq!(pair[0].end(), pair[1].begin());
            assert_eq!(Phase::at(pair[1].begin()), pair[1]);
        }
        assert_eq!(Phase::at(Phase::Slow.end() + Duration::from_secs(3600)), Phase::Back);
    }

    #[test]
    fn the_capacity_is_the_slots_over_the_mean() {
        for machine in [Machine::QUICK, Machine::WIDE] {
            assert!((CAPACITY - machine.slots as f64 / machine.service.as_secs_f64()).abs() < 1e-9);
        }
        assert!((Phase::Slow.possible(10.0) - CAPACITY / 5.0).abs() < 1e-9);
        assert!((Phase::Slow.possible(0.1) - CAPACITY / 10.0).abs() < 1e-9);
    }
}
