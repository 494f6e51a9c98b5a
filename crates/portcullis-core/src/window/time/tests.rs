use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Every event, under the number of its bucket; looked through from the beginning each time.
struct Model {
    /// (bucket, what, how many)
    events: Vec<(u128, What, u64)>,
    newest: u128,
    width: u128,
    buckets: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Success,
    Failure,
    Slow,
    Kind(u8),
}

impl Model {
    fn new(span: Duration, buckets: u32) -> Self {
        let width = span.as_nanos().div_ceil(u128::from(buckets));
        Self { events: vec![], newest: 0, width, buckets: u128::from(buckets) }
    }

    /// The very last nanosecond counts as the one before it.
    fn number(&self, now: Time) -> u128 {
        u128::from(now.as_nanos().min(u64::MAX - 1)) / self.width
    }

    fn end(&self, number: u128) -> Time {
        Time::from_nanos(u64::try_from((number + 1) * self.width).unwrap_or(u64::MAX))
    }

    fn holds(&self, number: u128) -> bool {
        number <= self.newest && number + self.buckets > self.newest
    }

    fn event(&mut self, now: Time, what: What, n: u64) {
        let number = self.number(now);
        self.newest = self.newest.max(number);
        self.events.push((number, what, n));
    }

    fn sum(&self, what: What) -> u64 {
        let mut buckets = BTreeMap::<u128, u64>::new();
        for &(number, _, n) in self.events.iter().filter(|&&(at, of, _)| of == what && self.holds(at)) {
            let bucket = buckets.entry(number).or_default();
            *bucket = bucket.saturating_add(n).min(u64::from(u32::MAX));
        }
        buckets.values().sum()
    }

    fn counts(&self) -> Counts {
        Counts {
            successes: self.sum(What::Success),
            failures: self.sum(What::Failure),
            slow: self.sum(What::Slow),
        }
    }

    fn resize(&mut self, span: Duration, buckets: u32, now: Time) {
        self.newest = self.newest.max(self.number(now));
        let mut new = Self::new(span, buckets);
        let start = Time::from_nanos((self.newest * self.width) as u64);
        new.newest = new.number(now.max(start));
        for &(number, what, n) in self.events.iter().filter(|&&(at, ..)| self.holds(at)) {
            let home = (self.end(number).as_nanos() - 1) as u128 / new.width;
            new.events.push((home.min(new.newest), what, n));
        }
        *self = new;
    }
}

#[derive(Clone, Debug)]
enum Op {
    Advance,
    Successes(u64),
    /// Into a bucket whose end was asked for at this share of the window ago.
    LateSuccesses(u64, u64),
    Failure(u8, bool),
    SlowSuccess,
    Resize(Duration, u32),
    Clear,
}

fn shape() -> impl Strategy<Value = (Duration, u32)> {
    let span = prop_oneof![
        (1_000_000u64..3_000_000).prop_map(Duration::from_nanos),
        (1u64..86_400_000).prop_map(Duration::from_millis),
    ];
    (span, prop_oneof![4 => 1u32..12, 1 => 1u32..=1_000])
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => Just(Op::Advance),
        4 => (0u64..1_000).prop_map(Op::Successes),
        1 => any::<u64>().prop_map(Op::Successes),
        3 => (0u64..150, 0u64..1_000).prop_map(|(ago, n)| Op::LateSuccesses(ago, n)),
        6 => (0u8..16, any::<bool>()).prop_map(|(kind, slow)| Op::Failure(kind, slow)),
        2 => Just(Op::SlowSuccess),
    ]
}

fn op_or_change() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => op(),
        1 => shape().prop_map(|(span, buckets)| Op::Resize(span, buckets)),
        1 => Just(Op::Clear),
    ]
}

/// Where time goes next: on by some thousandths of a window, back, or anywhere at all.
#[derive(Clone, Debug)]
enum Step {
    On(u64),
    Back(u64),
    To(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0u64..300).prop_map(Step::On),
        2 => (0u64..3_000).prop_map(Step::On),
        3 => (0u64..1_500).prop_map(Step::Back),
        1 => any::<u64>().prop_map(Step::To),
        1 => (0u64..2_000_000).prop_map(|left| Step::To(u64::MAX - left)),
    ]
}

/// Runs both side by side from somewhere in time.
struct Pair {
    window: TimeWindow,
    model: Model,
    now: u64,
}

impl Pair {
    fn new((span, buckets): (Duration, u32), start: u64) -> Self {
        let mut window = TimeWindow::new(span, buckets);
        window.count_kinds(true);
        Self { window, model: Model::new(span, buckets), now: start }
    }

    fn thousandths(&self, n: u64) -> u64 {
        (self.model.width * self.model.buckets * u128::from(n) / 1_000) as u64
    }

    fn go(&mut self, step: &Step) {
        self.now = match *step {
            Step::On(n) => self.now.saturating_add(self.thousandths(n)),
            Step::Back(n) => self.now.saturating_sub(self.thousandths(n)),
            Step::To(now) => now,
        };
    }

    fn apply(&mut self, op: Op) {
        let now = Time::from_nanos(self.now);
        let Self { window, model, .. } = self;
        match op {
            Op::Advance => {
                window.advance(now);
                model.newest = model.newest.max(model.number(now));
            }
            Op::Successes(n) => {
                window.add_successes(window.end_of(now), n);
                model.event(now, What::Success, n);
            }
            Op::LateSuccesses(ago, n) => {
                let then = Time::from_nanos(self.now.saturating_sub(self.thousandths(ago * 10)));
                self.window.add_successes(self.window.end_of(then), n);
                self.model.event(then, What::Success, n);
            }
            Op::Failure(kind, slow) => {
                window.failure(now, kind, slow);
                model.event(now, What::Failure, 1);
                model.event(now, What::Kind(kind), 1);
                model.event(now, What::Slow, u64::from(slow));
            }
            Op::SlowSuccess => {
                window.slow_success(now);
                model.event(now, What::Slow, 1);
            }
            Op::Resize(span, buckets) => {
                window.resize(span, buckets, now);
                model.resize(span, buckets, now);
            }
            Op::Clear => {
                window.clear();
                model.events.clear();
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let Self { window, model, .. } = self;
        let now = Time::from_nanos(self.now);
        let end = model.end(model.number(now));
        prop_assert_eq!(window.end_of(now), end);
        prop_assert_eq!(window.holds(end), model.holds(model.number(now)));
        prop_assert_eq!(window.sum(), model.counts());
        for kind in 0..16 {
            prop_assert_eq!(window.sum_of_kind(kind), model.sum(What::Kind(kind)));
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(768))]

    #[test]
    fn is_exact_after_any_history(
        shape in shape(), start in prop_oneof![0u64..1_000_000_000_000, any::<u64>()],
        steps in prop::collection::vec((step(), op_or_change()), 1..120),
    ) {
        let mut pair = Pair::new(shape, start);
        for (step, op) in steps {
            pair.go(&step);
            pair.apply(op);
            pair.check()?;
        }
    }

    /// The same by the definition alone: no bucket is ever moved, so the latest time decides.
    #[test]
    fn holds_what_ended_in_its_buckets(
        (span, buckets) in shape(), times in prop::collection::vec(any::<u64>(), 1..60),
        near in prop::collection::vec(0u64..100_000_000_000, 1..60),
    ) {
        let width = span.as_nanos().div_ceil(u128::from(buckets)) as u64;
        for times in [times, near] {
            let mut window = TimeWindow::new(span, buckets);
            times.iter().for_each(|&now| window.failure(Time::from_nanos(now), 0, false));
            let bucket = |now: u64| now.min(u64::MAX - 1) / width;
            let newest = times.iter().map(|&now| bucket(now)).max().unwrap_or(0);
            let held = times.iter().filter(|&&now| newest - bucket(now) < u64::from(buckets)).count();
            prop_assert_eq!(window.sum().failures, held as u64);
        }
    }

    #[test]
    fn takes_any_argument(
        seconds: u64, buckets: u32, now: u64, end: u64, n: u64, kind: u8, to: u64, to_buckets: u32,
    ) {
        let mut window = TimeWindow::new(Duration::from_secs(seconds), buckets);
        let (now, end) = (Time::from_nanos(now), Time::from_nanos(end));
        window.count_kinds(true);
        window.failure(now, kind, true);
        window.add_successes(end, n);
        window.resize(Duration::from_nanos(to), to_buckets, end);
        window.add_successes(now, n);
        window.slow_success(Time::from_nanos(u64::MAX));
        window.resize(Duration::ZERO, 0, Time::ORIGIN);
        prop_assert!(window.sum().slow >= 1);
        prop_assert!(window.end_of(now) >= now);
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1_000)
}

/// The usual window, whatever passes through it.
#[test]
fn a_minute_in_ten_buckets_takes_1024_bytes_and_no_more() {
    let mut window = TimeWindow::new(MINUTE, 10);
    window.count_kinds(true);
    let bytes = window.heap_bytes() + size_of::<TimeWindow>();
    assert!(bytes <= 1_024, "{bytes}");
    for second in 0..600 {
        window.failure(at(second), 3, true);
        window.add_successes(window.end_of(at(second)), 1_000_000);
    }
    assert_eq!(window.heap_bytes() + size_of::<TimeWindow>(), bytes);
}

#[test]
fn a_full_bucket_counts_no_further_and_leaves_what_it_held() {
    let mut window = TimeWindow::new(MINUTE, 2);
    window.add_successes(at(30), u64::MAX);
    window.add_successes(at(30), 1);
    window.add_successes(at(60), 7);
    assert_eq!(window.sum().successes, u64::from(u32::MAX) + 7);
    window.advance(at(60));
    assert_eq!(window.sum().successes, 7);
}

#[test]
fn successes_of_a_bucket_that_left_are_not_counted() {
    let mut window = TimeWindow::new(MINUTE, 6);
    window.advance(at(60));
    assert!(window.holds(at(20)) && !window.holds(at(10)) && !window.holds(at(80)));
    window.add_successes(at(10), 5);
    assert_eq!(window.sum().calls(), 0);
    window.add_successes(at(20), 5);
    assert_eq!(window.sum().calls(), 5);
}

#[test]
fn a_smaller_span_keeps_only_the_recent() {
    let mut window = TimeWindow::new(MINUTE, 6);
    window.failure(at(5), 1, false);
    window.failure(at(55), 2, true);
    window.resize(MINUTE / 6, 10, at(56));
    assert_eq!(window.sum(), Counts { successes: 0, failures: 1, slow: 1 });
    // Its bucket was to end at 60, but nothing is counted after now.
    assert!(window.holds(at(57)) && !window.holds(at(58)));
    window.advance(at(65));
    assert_eq!(window.sum().failures, 1);
    window.advance(at(66));
    assert_eq!(window.sum().failures, 0);
}

#[test]
fn the_same_shape_again_changes_nothing() {
    let mut window = TimeWindow::new(MINUTE, 6);
    window.count_kinds(true);
    (0..60).for_each(|second| window.failure(at(second), 4, second % 2 == 0));
    let before = (window.sum(), window.sum_of_kind(4));
    for _ in 0..10 {
        window.resize(MINUTE, 6, at(59));
    }
    assert_eq!((window.sum(), window.sum_of_kind(4)), before);
    window.advance(at(60));
    assert_eq!(window.sum().failures, 50);
}

#[test]
fn kinds_are_counted_from_when_they_are_asked_for() {
    let mut window = TimeWindow::new(MINUTE, 6);
    window.failure(at(1), 3, false);
    window.count_kinds(true);
    window.failure(at(2), 3, false);
    window.count_kinds(true);
    assert_eq!((window.sum().failures, window.sum_of_kind(3)), (2, 1));
    window.count_kinds(false);
    assert_eq!(window.sum_of_kind(3), 0);
}

#[test]
fn slow_calls_are_never_more_than_all_of_them() {
    let mut window = TimeWindow::new(MINUTE, 6);
    window.slow_success(at(1));
    assert_eq!(window.sum().slow_ratio(), 0.0);
    window.failure(at(1), 0, true);
    assert_eq!((window.sum().slow_ratio(), window.sum().failure_ratio()), (1.0, 1.0));
}
