//! Every order in which a few threads can count, look, and change the rules.

mod wrong;

use loom::{sync::Arc, thread};

use super::*;
use crate::{FailureKind, Time};

const NOW: Time = Time::from_millis(1_000);

/// One shard for each of two threads, which decides from the first request on.
pub(super) fn throttler() -> Arc<Throttler> {
    let throttler = Throttler::new(Config { min_requests: 1, ..Config::default() }, 2).unwrap();
    assert_eq!(throttler.lot(NOW), Lot::Free);
    Arc::new(throttler)
}

fn apart<R: 'static>(
    throttler: &Arc<Throttler>,
    work: impl FnOnce(&Throttler) -> R + 'static,
) -> thread::JoinHandle<R> {
    let throttler = Arc::clone(throttler);
    thread::spawn(move || work(&throttler))
}

fn refused(throttler: &Throttler, shard: usize) {
    throttler.admit(shard);
    throttler.settle(shard, Ended::Refused, || NOW);
}

/// What was told last knows of both, whoever looked: nobody looks again afterwards.
#[test]
fn the_last_look_has_seen_all() {
    loom::model(|| {
        let throttler = throttler();
        let other = apart(&throttler, |throttler| refused(throttler, 1));
        refused(&throttler, 0);
        other.join().unwrap();
        let Evidence { requests, accepted, chance } = throttler.evidence();
        assert_eq!((requests, accepted, chance), (2, 0, 2.0 / 3.0));
    });
}

#[test]
fn a_look_from_outside_loses_nothing() {
    loom::model(|| {
        let throttler = throttler();
        let other = apart(&throttler, |throttler| refused(throttler, 1));
        let seen = throttler.status(NOW).requests;
        assert!(seen <= 1, "{seen}");
        other.join().unwrap();
        assert_eq!(throttler.evidence().requests, 1);
        assert_eq!(throttler.status(NOW).refused_total, 1);
    });
}

/// A call that is held back, and one that ends, while the window moves on.
#[test]
fn nothing_is_lost_as_the_window_moves_on() {
    loom::model(|| {
        let throttler = throttler();
        throttler.admit(0);
        let later = Time::from_millis(3_500);
        let other = apart(&throttler, move |throttler| {
            let lot = throttler.lot(later);
            assert!(matches!(lot, Lot::Free), "{lot:?}");
            throttler.hold(1, later);
        });
        throttler.settle(0, Ended::Accepted, || NOW);
        other.join().unwrap();
        let status = throttler.status(later);
        assert_eq!((status.requests, status.accepted, status.hanging), (2, 1, 0));
    });
}

#[test]
fn new_rules_count_what_comes_meanwhile() {
    loom::model(|| {
        let throttler = throttler();
        let other = apart(&throttler, |throttler| {
            let refused_by = [FailureKind::Internal].into();
            let config = Config { max_share: 0.25, min_requests: 1, refused_by, ..Config::default() };
            throttler.reconfigure(config, NOW).unwrap();
        });
        refused(&throttler, 0);
        other.join().unwrap();
        let Evidence { requests, chance, .. } = throttler.evidence();
        assert_eq!((requests, chance), (1, 0.25));
        assert!(throttler.refuses(FailureKind::Internal) && !throttler.refuses(FailureKind::Timeout));
    });
}
