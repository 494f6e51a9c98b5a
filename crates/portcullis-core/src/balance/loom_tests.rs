//! Every order in which calls begin, end and are measured.

use std::time::Duration;

use loom::{sync::Arc, thread};

use super::*;
use crate::Time;

const DECAY: Duration = Duration::from_secs(10);
const MEASURE: Measure = Measure::PeakEwma(DECAY);

#[test]
fn calls_that_end_leave_nothing_in_flight() {
    loom::model(|| {
        let load = Arc::new(Load::default());
        let threads = [(); 2].map(|()| {
            let load = load.clone();
            thread::spawn(move || {
                load.begin();
                load.end();
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(load.in_flight(), 0);
    });
}

/// Whoever comes last: nobody's peak is lost.
#[test]
fn the_peak_of_two_stays() {
    loom::model(|| {
        let load = Arc::new(Load::default());
        let other = load.clone();
        let now = Time::from_millis(5);
        let thread = thread::spawn(move || other.observe(MEASURE, Duration::from_millis(9), now));
        load.observe(MEASURE, Duration::from_millis(3), now);
        thread.join().unwrap();
        assert_eq!(load.latency(MEASURE, now), Some(Duration::from_millis(9)));
    });
}
