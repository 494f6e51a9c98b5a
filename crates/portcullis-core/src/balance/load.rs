//! How much an endpoint has to do.

use std::time::Duration;

use crate::{
    Time,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use super::ewma::Ewma;

/// What an endpoint that has answered nothing yet, and has something to do, is taken to need for it: in
/// microseconds, so long that others come first. It gets one call, and no second one before it has answered.
const UNKNOWN: f64 = 60_000_000.0;

/// Who has refused a call in the name of a policy of its own is second choice for so long: a breaker around it is open,
/// say, and calls it turns away in no time look like nothing to do. In milliseconds.
const REFUSES_FOR: u32 = 1000;

/// By what an endpoint's load is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Measure {
    /// The calls in flight (the default). Costs nothing, and sends less to who is slow, but not nothing: while it
    /// has no calls in flight it is as good as any.
    #[default]
    InFlight,
    /// The calls in flight times the time that calls take, by a moving average over about this time that follows
    /// peaks at once. Keeps calls away from who is slow; costs two clock readings a call.
    PeakEwma(Duration),
}

/// What one endpoint has to do.
#[derive(Debug, Default)]
pub struct Load {
    in_flight: AtomicU32,
    /// When it last refused a call, in milliseconds, which go round after 49 days; 0 for never.
    refused: AtomicU32,
    ewma: Ewma,
}

impl Load {
    /// A call begins.
    #[inline]
    pub fn begin(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    /// A call ends, however.
    #[inline]
    pub fn end(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    /// Calls in flight.
    #[inline]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// A call took this long; counts only with [`Measure::PeakEwma`].
    pub fn observe(&self, measure: Measure, took: Duration, now: Time) {
        if let Measure::PeakEwma(decay) = measure {
            self.ewma.observe(took, now, decay);
        }
    }

    /// A call was refused by a policy around the endpoint.
    pub fn refused(&self, now: Time) {
        self.refused.store((now.as_millis() as u32).max(1), Relaxed);
    }

    /// Whether it refused one a moment ago.
    #[inline]
    fn refuses(&self, now: Time) -> bool {
        let refused = self.refused.load(Relaxed);
        refused != 0 && (now.as_millis() as u32).wrapping_sub(refused) < REFUSES_FOR
    }

    /// A call was given up after this time: it would have taken longer.
    pub fn give_up(&self, measure: Measure, took: Duration, now: Time) {
        if let Measure::PeakEwma(decay) = measure {
            self.ewma.at_least(took, now, decay);
        }
    }

    /// How long a call takes, if that is measured, and one was seen.
    pub fn latency(&self, measure: Measure, now: Time) -> Option<Duration> {
        match measure {
            Measure::PeakEwma(decay) => {
                self.ewma.micros(now, decay).map(|us| Duration::from_secs_f64(us / 1e6))
            }
            Measure::InFlight => None,
        }
    }

    /// Whether a call that was drawn for this endpoint should go to `other` instead. Weights are relative to the
    /// mean of all.
    ///
    /// Of two that weigh the same, it is who has less to do. One that weighs little takes a call that was not
    /// drawn for it only if, with it, it would still have less to do for its weight: a weight of 1 beside one of
    /// 99 gets about one call in a hundred, however many are in flight. Who has [refused](Self::refused) a call in the
    /// last second comes after who has not, whatever their loads.
    #[inline]
    pub fn yields(&self, weight: f64, other: &Self, other_weight: f64, measure: Measure, now: Time) -> bool {
        match (self.refuses(now), other.refuses(now)) {
            (true, false) => return true,
            (false, true) => return false,
            _ => {}
        }
        let (own, others) = (f64::from(self.in_flight()), f64::from(other.in_flight()));
        let own_share = own / weight + 1.0;
        let others_share = (others / other_weight + 1.0).max((others + 1.0) / other_weight);
        match measure {
            Measure::InFlight => others_share < own_share,
            Measure::PeakEwma(decay) => {
                other.cost(now, decay) * others_share < self.cost(now, decay) * own_share
            }
        }
    }

    fn cost(&self, now: Time, decay: Duration) -> f64 {
        match self.ewma.micros(now, decay) {
            Some(micros) => micros,
            None if self.in_flight() > 0 => UNKNOWN,
            None => 0.0,
        }
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    const NOW: Time = Time::from_millis(1000);
    const EWMA: Measure = Measure::PeakEwma(Duration::from_secs(10));

    fn load(in_flight: u32, millis: u64) -> Load {
        let load = Load::default();
        (0..in_flight).for_each(|_| load.begin());
        if millis > 0 {
            load.observe(EWMA, Duration::from_millis(millis), NOW);
        }
        load
    }

    fn yields(own: &Load, weight: f64, other: &Load, other_weight: f64) -> bool {
        own.yields(weight, other, other_weight, Measure::InFlight, NOW)
    }

    #[test]
    fn of_equals_who_has_less_to_do() {
        assert!(yields(&load(2, 0), 1.0, &load(1, 0), 1.0));
        assert!(!yields(&load(1, 0), 1.0, &load(1, 0), 1.0), "as it was drawn");
        assert!(!yields(&load(0, 0), 1.0, &load(1, 0), 1.0));
    }

    #[test]
    fn a_light_one_is_neither_flooded_nor_starved() {
        let (heavy, light) = (1.98, 0.02);
        assert!(!yields(&load(10, 0), heavy, &load(0, 0), light), "not flooded");
        assert!(yields(&load(200, 0), heavy, &load(0, 0), light), "but when there is much");
        assert!(!yields(&load(0, 0), light, &load(0, 0), heavy), "not starved");
        assert!(!yields(&load(0, 0), light, &load(10, 0), heavy));
        assert!(yields(&load(1, 0), light, &load(10, 0), heavy), "one is its share");
    }

    #[test]
    fn a_slow_one_is_left_alone_although_it_has_nothing_to_do() {
        let (slow, fast) = (load(0, 100), load(5, 10));
        assert!(slow.yields(1.0, &fast, 1.0, EWMA, NOW));
        assert!(!fast.yields(1.0, &slow, 1.0, EWMA, NOW));
        let later = NOW + Duration::from_secs(60);
        assert!(!slow.yields(1.0, &load(5, 10), 1.0, EWMA, later) || slow.latency(EWMA, later).is_some());
    }

    #[test]
    fn an_unknown_one_gets_one_call_to_begin_with() {
        assert!(load(0, 10).yields(1.0, &load(0, 0), 1.0, EWMA, NOW));
        assert!(load(1, 0).yields(1.0, &load(50, 10), 1.0, EWMA, NOW));
    }

    #[test]
    fn who_refused_comes_second_for_a_moment() {
        let (refusing, busy) = (load(0, 0), load(9, 100));
        refusing.refused(NOW);
        for measure in [Measure::InFlight, EWMA] {
            assert!(refusing.yields(1.0, &busy, 1.0, measure, NOW));
            assert!(!busy.yields(1.0, &refusing, 1.0, measure, NOW));
            let later = NOW + Duration::from_secs(1);
            assert!(busy.yields(1.0, &refusing, 1.0, measure, later), "it is tried again");
        }
        busy.refused(NOW);
        assert!(busy.yields(1.0, &refusing, 1.0, Measure::InFlight, NOW), "of two that refuse, by load");
        // A clock that is read too early.
        assert!(!load(0, 0).yields(1.0, &refusing, 1.0, Measure::InFlight, Time::ORIGIN));
    }

    #[test]
    fn ends_what_began() {
        let load = load(2, 0);
        load.end();
        assert_eq!((load.in_flight(), load.latency(Measure::InFlight, NOW)), (1, None));
    }
}
