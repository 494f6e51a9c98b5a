use proptest::prelude::*;

use super::*;

/// The whole history, asked call by call.
struct Model {
    marked: Vec<(u64, u8)>,
    total: u64,
    floor: u64,
    size: u64,
}

impl Model {
    fn first(&self) -> u64 {
        self.floor.max(self.total.saturating_sub(self.size))
    }

    fn count(&self, of: impl Fn(u8) -> bool) -> u32 {
        let first = self.first();
        self.marked.iter().filter(|&&(position, kind)| position >= first && of(kind)).count() as u32
    }

    fn resize(&mut self, size: u32) {
        self.floor = self.first();
        self.size = u64::from(size);
    }
}

#[derive(Clone, Debug)]
enum Op {
    /// So many calls end unmarked.
    Pass(u64),
    Mark(u8),
    /// One that was already part of the total that was asked for.
    MarkLate(u64, u8),
    Count,
    Resize(u32),
    CountKinds(bool),
    Clear,
}

/// How many calls pass: few, or about as many as make the stored part of a number come round again.
fn calls() -> impl Strategy<Value = u64> {
    let round = (27u32..40, 0u64..300).prop_map(|(power, off)| (1u64 << power) + off - 150);
    prop_oneof![8 => 0u64..4, 4 => 0u64..120, 1 => round, 1 => 0u64..1 << 57]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => calls().prop_map(Op::Pass),
        12 => (0u8..16).prop_map(Op::Mark),
        2 => (0u64..60, 0u8..16).prop_map(|(back, kind)| Op::MarkLate(back, kind)),
        4 => Just(Op::Count),
        1 => (1u32..60).prop_map(Op::Resize),
        1 => any::<bool>().prop_map(Op::CountKinds),
        1 => prop::bool::weighted(0.3).prop_map(|clear| if clear { Op::Clear } else { Op::Count }),
    ]
}

fn apply(op: Op, window: &mut CountWindow, model: &mut Model) {
    match op {
        Op::Pass(calls) => model.total += calls,
        Op::Mark(kind) => {
            window.mark(model.total, kind);
            model.marked.push((model.total, kind));
            model.total += 1;
        }
        Op::MarkLate(back, kind) => {
            let position = model.total.saturating_sub(back);
            let after = model.marked.last().is_none_or(|&(newest, _)| newest < position);
            if after && position < model.total {
                window.mark(position, kind);
                model.marked.push((position, kind));
            }
        }
        Op::Count => assert_eq!(window.count(model.total), model.count(|_| true)),
        Op::Resize(size) => {
            window.resize(size, model.total);
            model.resize(size);
        }
        Op::CountKinds(on) => window.count_kinds(on),
        Op::Clear => {
            window.clear();
            *model = Model { marked: vec![], total: 0, floor: 0, size: model.size };
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn is_exact_after_any_history(size in 1u32..60, ops in prop::collection::vec(op(), 1..250)) {
        let mut window = CountWindow::new(size);
        let mut model = Model { marked: vec![], total: 0, floor: 0, size: u64::from(size) };
        for op in ops {
            apply(op, &mut window, &mut model);
            prop_assert_eq!(window.peek(model.total), model.count(|_| true));
            prop_assert_eq!(u64::from(window.calls(model.total)), model.total - model.first());
            prop_assert!(window.marks.capacity() as u64 <= model.size);
        }
    }

    #[test]
    fn tells_kinds_apart(size in 1u32..60, ops in prop::collection::vec(op(), 1..250)) {
        let mut window = CountWindow::new(size);
        let mut model = Model { marked: vec![], total: 0, floor: 0, size: u64::from(size) };
        for op in ops {
            apply(op, &mut window, &mut model);
            prop_assert_eq!(window.count(model.total), model.count(|_| true));
            let on = window.kinds.is_some();
            for kind in 0..16 {
                let expected = if on { model.count(|of| of == kind) } else { 0 };
                prop_assert_eq!(window.count_of(kind), expected);
            }
        }
    }

    /// Nobody should call it so; nothing may break when somebody does.
    #[test]
    fn takes_any_argument(
        size: u32, kinds: bool, ops in prop::collection::vec((0u8..5, any::<u64>(), any::<u8>()), 1..60),
    ) {
        let mut window = CountWindow::new(size);
        window.count_kinds(kinds);
        for (op, number, kind) in ops {
            match op {
                0 => window.mark(number, kind),
                1 => window.mark(number >> 40, kind),
                2 => window.mark(u64::MAX - (number >> 60), kind),
                3 => window.resize(number as u32, number),
                _ => prop_assert!(window.count(number) <= window.calls(number)),
            }
            prop_assert!(window.peek(number) <= 1_000_000 && window.count_of(kind) <= 1_000_000);
        }
    }
}

/// What is done to a window of which most marks are added ahead.
#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Mark,
    Ahead,
    Allow(u32),
    Count,
    Resize(u32),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let pass = prop_oneof![8 => 0u64..3, 1 => 0u64..300, 1 => 1u64 << 26..1 << 29];
    prop_oneof![
        10 => pass.prop_map(Step::Pass),
        2 => Just(Step::Mark),
        20 => Just(Step::Ahead),
        3 => (0u32..70).prop_map(Step::Allow),
        2 => Just(Step::Count),
        1 => prop::bool::weighted(0.2).prop_map(|clear| if clear { Step::Clear } else { Step::Resize(40) }),
        1 => (1u32..60).prop_map(Step::Resize),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    /// The short way marks what the other would, or nothing, and only while there may be more marks.
    #[test]
    fn marks_added_ahead_are_marks(size in 1u32..60, steps in prop::collection::vec(step(), 1..400)) {
        let mut window = CountWindow::new(size);
        let mut model = Model { marked: vec![], total: 0, floor: 0, size: u64::from(size) };
        let mut most = 0;
        for step in steps {
            match step {
                Step::Pass(calls) => model.total += calls,
                Step::Mark => {
                    apply(Op::Mark(3), &mut window, &mut model);
                    most = 0;
                }
                Step::Ahead if window.mark_ahead(model.total, 3) => {
                    model.marked.push((model.total, 3));
                    model.total += 1;
                    prop_assert!(model.count(|_| true) <= most, "more than {}", most);
                }
                // Who marks a call does so in any case.
                Step::Ahead => {
                    apply(Op::Mark(3), &mut window, &mut model);
                    most = 0;
                }
                // After a mark.
                Step::Allow(to) => {
                    apply(Op::Mark(3), &mut window, &mut model);
                    window.allow(to);
                    most = to;
                }
                Step::Count => apply(Op::Count, &mut window, &mut model),
                Step::Resize(size) => {
                    apply(Op::Resize(size), &mut window, &mut model);
                    most = 0;
                }
                Step::Clear => {
                    apply(Op::Clear, &mut window, &mut model);
                    most = 0;
                }
            }
            prop_assert_eq!(window.peek(model.total), model.count(|_| true));
            prop_assert_eq!(u64::from(window.calls(model.total)), model.total - model.first());
            prop_assert!(window.held() >= window.peek(model.total));
            prop_assert!(window.marks.capacity() as u64 <= model.size.max(60));
        }
    }
}

/// Nearly all of them, and none of that needs more memory.
#[test]
fn marks_can_be_added_ahead_for_a_while() {
    let mut window = CountWindow::new(100);
    let (mut ahead, mut bytes) = (0, 0);
    for call in (1..20_000).step_by(2) {
        if call == 10_001 {
            (ahead, bytes) = (0, window.heap_bytes());
        }
        if window.mark_ahead(call, 1) {
            ahead += 1;
        } else {
            window.mark(call, 1);
            window.allow(59);
        }
        assert_eq!(window.peek(call + 1), (call as u32).div_ceil(2).min(50));
    }
    assert_eq!((ahead, window.heap_bytes()), (5_000, bytes));
}

/// Kinds are not counted on the short way.
#[test]
fn no_mark_is_added_ahead_while_kinds_are_counted() {
    let mut window = CountWindow::new(10);
    window.mark(0, 1);
    window.allow(9);
    assert!(window.mark_ahead(1, 1));
    window.count_kinds(true);
    assert!(!window.mark_ahead(2, 1));
    window.mark(2, 1);
    window.allow(9);
    assert!(!window.mark_ahead(3, 1));
    assert_eq!((window.count(4), window.count_of(1)), (3, 3));
}

/// The window that most breakers have.
#[test]
fn a_window_of_a_hundred_takes_512_bytes_when_every_call_fails() {
    let mut window = CountWindow::new(100);
    assert_eq!(window.heap_bytes(), 0);
    for call in 0..1_000 {
        window.mark(call, 1);
        assert!(window.heap_bytes() + size_of::<CountWindow>() <= 512);
    }
    assert_eq!((window.count(1_000), window.calls(1_000)), (100, 100));
}

#[test]
fn memory_grows_with_the_marks_and_no_further_than_the_window() {
    let mut window = CountWindow::new(1_000_000);
    for call in 0..100 {
        window.mark(call, 1);
    }
    assert!(window.heap_bytes() <= 1_024);
    for call in 100..2_000_000 {
        window.mark(call, 1);
    }
    assert_eq!(window.heap_bytes(), 4_000_000);
    window.resize(10, 2_000_000);
    assert_eq!((window.heap_bytes(), window.count(2_000_000)), (40, 10));
}

#[test]
fn a_full_turn_of_the_stored_number_brings_nothing_back() {
    for turn in [1u64 << 27, 1 << 28, 1 << 29, 1 << 32, 1 << 60] {
        let mut window = CountWindow::new(10);
        window.mark(5, 0);
        assert_eq!(window.peek(turn + 6), 0);
        window.mark(turn + 5, 0);
        assert_eq!((window.peek(turn + 6), window.count(turn + 6)), (1, 1));
    }
}

#[test]
fn an_enlarged_window_knows_only_what_the_smaller_one_kept() {
    let mut window = CountWindow::new(4);
    (0..10).for_each(|call| window.mark(call, 0));
    window.resize(8, 10);
    assert_eq!((window.count(10), window.calls(10)), (4, 4));
    assert_eq!((window.count(12), window.calls(12)), (4, 6));
    assert_eq!((window.count(15), window.calls(15)), (3, 8));
}

#[test]
fn a_shrunk_window_does_not_remember_when_it_grows_again() {
    let mut window = CountWindow::new(8);
    (0..8).for_each(|call| window.mark(call, 0));
    window.resize(2, 8);
    window.resize(8, 8);
    assert_eq!((window.count(8), window.calls(8)), (2, 2));
}

#[test]
fn a_call_marked_twice_counts_twice_up_to_the_size() {
    let mut window = CountWindow::new(2);
    window.count_kinds(true);
    (0..3).for_each(|kind| window.mark(0, kind));
    assert_eq!((window.count(1), window.count_of(0), window.count_of(2)), (2, 0, 1));
    assert_eq!((window.count(2), window.count(3)), (2, 0));
}

#[test]
fn sizes_out_of_range_become_the_nearest_in_it() {
    assert_eq!(CountWindow::new(0).calls(9), 1);
    assert_eq!(CountWindow::new(u32::MAX).calls(u64::MAX), 1_000_000);
}
