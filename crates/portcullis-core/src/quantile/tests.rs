use proptest::prelude::*;

use super::*;

/// Half a bucket, and the rounding of the rank.
const ERROR: f64 = 0.032;

/// The duration at a rank, from all of them.
fn exact(mut durations: Vec<Duration>, share: f64) -> Duration {
    durations.sort_unstable();
    let rank = ((share * durations.len() as f64).ceil() as usize).clamp(1, durations.len());
    durations[rank - 1]
}

fn close(told: Duration, exact: Duration) -> bool {
    (told.as_secs_f64() - exact.as_secs_f64()).abs() <= ERROR * exact.as_secs_f64()
}

fn duration() -> impl Strategy<Value = Duration> {
    // Of every order of magnitude from 2 µs to an hour.
    (1.0f64..10.5).prop_map(|power| Duration::from_nanos((power * 2.76).exp() as u64 + 2_000))
}

const SPAN: Duration = Duration::from_secs(60);

fn at(secs: u64) -> Time {
    Time::from_millis(secs * 1000)
}

proptest! {
    #[test]
    fn tells_every_quantile_of_what_it_saw(
        durations in prop::collection::vec(duration(), 1..300), share in 0.0f64..=1.0, shards in 1usize..9,
    ) {
        let quantiles = Quantiles::new(SPAN, shards);
        for (shard, &took) in durations.iter().enumerate() {
            quantiles.record(shard, took, at(1));
        }
        let told = quantiles.quantile(share, 1, at(1)).unwrap();
        let exact = exact(durations, share);
        prop_assert!(close(told, exact), "{told:?}, not {exact:?}");
    }

    /// At any time: all of the last half span, nothing from before the last span, and in between those of
    /// whole generations.
    #[test]
    fn sees_the_last_span_and_nothing_older(
        steps in prop::collection::vec((0u64..40_000, 1u64..1_000), 1..200),
    ) {
        let quantiles = Quantiles::new(SPAN, 2);
        let mut now = Time::from_millis(5);
        let mut history = vec![];
        for (shard, (wait, took)) in steps.into_iter().enumerate() {
            now = now + Duration::from_millis(wait);
            let took = Duration::from_millis(took);
            quantiles.record(shard, took, now);
            history.push((now, took));
            let since = |span| history.iter().filter(move |call| now.since(call.0) < span).map(|call| call.1);
            let (least, most) = (since(SPAN / 2).count(), since(SPAN).count());
            let seen = quantiles.seen(now) as usize;
            prop_assert!((least..=most).contains(&seen), "{least} <= {seen} <= {most}");
            // Generations are cut at calls: the youngest so many are what it saw.
            let kept: Vec<_> = history[history.len() - seen..].iter().map(|call| call.1).collect();
            let (told, exact) = (quantiles.quantile(0.9, 1, now).unwrap(), exact(kept, 0.9));
            prop_assert!(close(told, exact), "{told:?}, not {exact:?}");
        }
    }
}

#[test]
fn too_few_tell_nothing() {
    let quantiles = Quantiles::new(SPAN, 1);
    assert_eq!(quantiles.quantile(0.5, 0, at(0)), None);
    quantiles.record(0, Duration::from_millis(5), at(0));
    assert_eq!(quantiles.quantile(0.5, 2, at(0)), None);
    assert!(quantiles.quantile(0.5, 1, at(0)).is_some());
    assert!(quantiles.quantile(f64::NAN, 1, at(0)).is_some());
    assert_eq!(quantiles.quantile(0.5, 1, at(60)), None, "forgotten");
}

#[test]
fn no_time_and_no_duration_is_too_long() {
    let quantiles = Quantiles::new(Duration::MAX, 4096);
    for now in [Time::ORIGIN, Time::from_nanos(u64::MAX), Time::ORIGIN, Time::from_nanos(u64::MAX / 4)] {
        quantiles.record(usize::MAX, Duration::MAX, now);
        quantiles.record(0, Duration::ZERO, now);
        assert!(quantiles.seen(now) >= 2);
    }
}

#[test]
fn a_clock_that_jumps_back_counts_in_the_newest() {
    let quantiles = Quantiles::new(SPAN, 1);
    quantiles.record(0, Duration::from_millis(5), at(100));
    quantiles.record(0, Duration::from_millis(5), at(3));
    assert_eq!(quantiles.seen(at(100)), 2);
}

#[test]
fn memory_is_what_was_promised() {
    for shards in [1, 2, 64] {
        let quantiles = Quantiles::new(SPAN, shards);
        (0..100_000u64).for_each(|n| quantiles.record(0, Duration::from_micros(n), at(n / 100)));
        assert_eq!(quantiles.heap_bytes(), shards * 6 * 1024);
    }
}

#[test]
fn threads_lose_nothing() {
    let quantiles = Quantiles::new(SPAN, 2);
    // The first one begins the first generation; who came at the same time would be of the one before, and gone
    // with it.
    quantiles.record(0, Duration::from_millis(3), Time::ORIGIN);
    std::thread::scope(|scope| {
        for shard in 0..4 {
            let quantiles = &quantiles;
            // Over the end of a generation, in which all of them meet.
            scope.spawn(move || {
                (0..40_000).for_each(|n| {
                    quantiles.record(shard, Duration::from_millis(3), Time::from_millis(n));
                });
            });
        }
    });
    assert_eq!(quantiles.seen(Time::from_millis(39_999)), 160_001);
}
