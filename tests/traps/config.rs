//! T29: documented values that panic, and bad ones that are taken. Every setting of every builder, below,
//! at and above its range: a typed error that names field, value and range, or something that works.

use std::{fmt::Debug, ops::RangeInclusive, time::Duration};

use portcullis::{
    BoxError, Breaker, Bulkhead, ConfigError, Mode, Priority, Probe, Registry, Timeout, TimeoutLayer,
    bulkhead::{self, BulkheadBuilder, Codel, Order},
    probe::{self, ProbeBuilder},
};
use portcullis_testkit::script::Step;
use tower::{ServiceBuilder, ServiceExt};

use crate::common::{healthy, ms, secs};

mod breaker;
mod cache;
mod hedge;
mod keyed_bulkhead;
mod outlier;
mod pool;
mod rate;
mod retry;
mod shed;
mod throttle;
mod timeout;

const NANO: Duration = Duration::from_nanos(1);
const MILLI: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Builds with each value: within the range it works, outside it is an error that says all.
fn check<T: PartialOrd + Debug + Copy>(
    field: &str,
    range: RangeInclusive<T>,
    values: &[T],
    build: impl Fn(T) -> Result<(), ConfigError>,
) {
    for value in values {
        match build(*value) {
            Ok(()) => assert!(range.contains(value), "{field} took {value:?}"),
            Err(error) => {
                assert!(!range.contains(value), "{field} refused {value:?}: {error}");
                let allowed = format!("{:?} to {:?}", range.start(), range.end());
                let said = (error.field(), error.value(), error.allowed());
                assert_eq!(said, (field, format!("{value:?}").as_str(), allowed.as_str()));
            }
        }
    }
}

fn count(field: &str, range: RangeInclusive<u32>, build: impl Fn(u32) -> Result<(), ConfigError>) {
    let (start, end) = (*range.start(), *range.end());
    let values = [0, start.saturating_sub(1), start, start + 1, end - 1, end, end + 1, u32::MAX];
    check(field, range, &values, build);
}

fn time(field: &str, range: RangeInclusive<Duration>, build: impl Fn(Duration) -> Result<(), ConfigError>) {
    let (start, end) = (*range.start(), *range.end());
    let values =
        [Duration::ZERO, NANO, start.saturating_sub(NANO), start, start + NANO, end - NANO, end, end + NANO];
    check(field, range.clone(), &values, &build);
    check(field, range, &[Duration::from_secs(u64::MAX), Duration::MAX], build);
}

fn share(field: &str, range: RangeInclusive<f64>, build: impl Fn(f64) -> Result<(), ConfigError>) {
    let (start, end) = (*range.start(), *range.end());
    let around = [start.next_down(), start, start.next_up(), end.next_down(), end, end.next_up()];
    check(field, range.clone(), &around, &build);
    let odd = [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE];
    check(field, range.clone(), &odd, &build);
    check(field, range, &[0.0, -0.0, -0.5, 1.0, 1.5, 100.0], build);
}

fn use_bulkhead(builder: BulkheadBuilder) -> Result<(), ConfigError> {
    let bulkhead = builder.registry(&Registry::new()).build()?;
    let ticket = bulkhead.try_admit();
    assert!(ticket.is_ok() && !format!("{bulkhead:?}").is_empty());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_bulkhead() {
    let bulkhead::Config {
        max_in_flight: _,
        max_queued: _,
        max_wait: _,
        order: _,
        codel: _,
        reserved: _,
        mode: _,
    } = bulkhead::Config::default();
    let new = || Bulkhead::builder("t29");

    count("bulkhead.max_in_flight", 1..=1_000_000, |n| use_bulkhead(new().max_in_flight(n)));
    count("bulkhead.max_queued", 0..=1_000_000, |n| use_bulkhead(new().queue(n, secs(1))));
    time("bulkhead.max_wait", MILLI..=HOUR, |time| use_bulkhead(new().queue(1, time)));
    for order in Order::ALL {
        use_bulkhead(new().order(order)).unwrap();
    }
    for preset in bulkhead::Preset::ALL {
        use_bulkhead(new().preset(preset)).unwrap();
    }
    let (micros, minute) = (Duration::from_micros(100), secs(60));
    time("bulkhead.codel.target", micros..=minute, |target| {
        use_bulkhead(new().codel(Codel { target, interval: minute }))
    });
    time("bulkhead.codel.interval", MILLI..=minute, |interval| {
        use_bulkhead(new().codel(Codel { target: MILLI, interval }))
    });
    for class in [Priority::Low, Priority::Normal, Priority::High, Priority::Highest] {
        count("bulkhead.reserved", 0..=99, |permits| use_bulkhead(new().reserve(class, permits)));
    }
    use_bulkhead(new().reserve(Priority::Lowest, 1)).unwrap_err();
    check("bulkhead.mode.enforce_percent", 0..=100, &[0, 1, 99, 100, 101, u8::MAX], |percent| {
        use_bulkhead(new().mode(Mode::EnforcePercent(percent)))
    });
    use_bulkhead(new().config(bulkhead::Config { max_in_flight: 0, ..Default::default() })).unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_timeout() {
    let use_timeout =
        |timeout: Result<Timeout, ConfigError>| timeout.map(|timeout| drop(TimeoutLayer::new(timeout)));

    time("timeout.limit", MILLI..=DAY, |time| use_timeout(Timeout::total("t29", time)));
    time("timeout.limit", MILLI..=DAY, |time| use_timeout(Timeout::attempt("t29", time)));
    for whole in [false, true] {
        time("timeout.limit", MILLI..=DAY, |time| {
            use_timeout(Timeout::builder("t29", time).whole_response(whole).build())
        });
    }
}

/// The shortest and the longest limit, under way.
#[tokio::test(start_paused = true)]
async fn t29_the_ends_of_a_timeouts_range_work() {
    for limit in [MILLI, DAY] {
        let (inner, dependency) = healthy();
        dependency.push(Step::ok(1).after(limit - NANO));
        dependency.push(Step::ok(2).after(limit + ms(2)));
        let layer = TimeoutLayer::new(Timeout::total("t29", limit).unwrap());
        let service = ServiceBuilder::new().layer(layer).service(inner);

        assert!(service.clone().oneshot(1).await.is_ok(), "the answer wins a tie");
        assert!(service.oneshot(2).await.is_err());
    }
}

fn use_probe(builder: ProbeBuilder) -> Result<(), ConfigError> {
    let probe = builder.registry(&Registry::new()).build()?;
    probe.spawn(|| async { Err::<(), _>(BoxError::from("down")) });
    assert!(probe.status().started);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_probe() {
    let probe::Config {
        interval: _,
        interval_when_down: _,
        jitter: _,
        timeout: _,
        down_after: _,
        up_after: _,
        critical: _,
    } = probe::Config::default();
    let new = || Probe::builder("t29");

    time("probe.interval", MILLI..=DAY, |time| use_probe(new().interval(time)));
    time("probe.interval_when_down", MILLI..=DAY, |time| use_probe(new().interval_when_down(time)));
    share("probe.jitter", 0.0..=1.0, |share| use_probe(new().jitter(share)));
    time("probe.timeout", MILLI..=DAY, |time| use_probe(new().timeout(time)));
    count("probe.down_after", 1..=1000, |n| use_probe(new().down_after(n)));
    count("probe.up_after", 1..=1000, |n| use_probe(new().up_after(n)));
}

/// All of an interval left to chance still asks, and does not spin.
#[tokio::test(start_paused = true)]
async fn t29_the_ends_of_a_probes_ranges_work() {
    let probe = Probe::builder("t29").interval_when_down(secs(1)).jitter(1.0).build().unwrap();
    probe.spawn(|| async { Err::<(), _>(BoxError::from("down")) });

    tokio::time::sleep(secs(1000)).await;

    let probes = probe.status().probes;
    assert!((1_000..4_000).contains(&probes), "{probes} in 1000 s, with a second or less between them");
}

/// Names are any text.
#[test]
fn t29_any_name_will_do() {
    for name in [String::new(), "\n\"'\0".into(), "ü".repeat(10_000)] {
        let breaker = Breaker::new(name.clone());
        assert_eq!(&**breaker.name(), name);
        breaker.isolate();
        assert!(breaker.try_admit().unwrap_err().to_string().contains(&name));
    }
}
