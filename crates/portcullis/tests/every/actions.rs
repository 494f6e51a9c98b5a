//! What can be done by hand: an action that is offered does something, and one that is not does nothing.

use portcullis::{
    Mode, PolicyKind, Registry,
    registry::{Action, Snapshot},
};

use super::policies::{Sample, every};

/// The policy, and what it has told.
fn seen(sample: &Sample) -> (Snapshot, String, usize) {
    (sample.policy.snapshot(), (sample.look)(), sample.policy.recent_events().len())
}

fn offers(sample: &Sample, action: Action) -> bool {
    sample.policy.actions().contains(&action)
}

/// Does it; whether that was to be seen.
fn does_something(sample: &Sample, act: impl Fn(&Sample)) -> bool {
    let before = seen(sample);
    act(sample);
    seen(sample) != before
}

#[tokio::test(start_paused = true)]
async fn a_trip_opens_what_offers_it() {
    let registry = Registry::new();
    for sample in every(&registry) {
        let offered = offers(&sample, Action::Trip);
        assert_eq!(does_something(&sample, |sample| sample.policy.trip()), offered, "{}", sample.name);
        assert_eq!(sample.policy.snapshot().state == "open", offered, "{}", sample.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_forgets_what_was_seen_where_it_is_offered() {
    let registry = Registry::new();
    for sample in every(&registry) {
        let fresh = seen(&sample);
        (sample.disturb)();
        let offered = offers(&sample, Action::Reset);
        assert!(!offered || seen(&sample) != fresh, "{} sees nothing to forget", sample.name);
        assert_eq!(does_something(&sample, |sample| sample.policy.reset()), offered, "{}", sample.name);
    }
}

#[tokio::test(start_paused = true)]
async fn an_isolation_holds_until_the_release_where_both_are_offered() {
    let registry = Registry::new();
    for sample in every(&registry) {
        let name = sample.name;
        let offered = offers(&sample, Action::Isolate);
        assert_eq!(offers(&sample, Action::Release), offered, "{name}: one is nothing without the other");
        let fresh = sample.policy.snapshot().state;
        assert_eq!(does_something(&sample, |sample| sample.policy.isolate()), offered, "{name}");
        assert_eq!(sample.policy.snapshot().state != fresh, offered, "{name}");
        assert_eq!(does_something(&sample, |sample| sample.policy.release()), offered, "{name}");
        assert_eq!(sample.policy.snapshot().state, fresh, "{name}");
    }
}

/// What is not isolated is not released either.
#[tokio::test(start_paused = true)]
async fn a_release_of_what_is_not_isolated_does_nothing() {
    let registry = Registry::new();
    for sample in every(&registry) {
        assert!(!does_something(&sample, |sample| sample.policy.release()), "{}", sample.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_mode_is_taken_where_there_is_one_and_refused_elsewhere() {
    let registry = Registry::new();
    for sample in every(&registry) {
        let (name, policy) = (sample.name, &sample.policy);
        assert_eq!(policy.mode().is_some(), offers(&sample, Action::Mode), "{name}");
        for mode in [Mode::Disabled, Mode::Shadow, Mode::EnforcePercent(50), Mode::Enforce] {
            let before = policy.mode();
            // Faults are made, or they are not; and calls are observed, or they are not.
            let is_switch = matches!(policy.snapshot().kind, PolicyKind::Chaos | PolicyKind::Observer);
            let offered = before.is_some() && (!is_switch || matches!(mode, Mode::Enforce | Mode::Disabled));
            let told = policy.recent_events().len();
            assert_eq!(policy.set_mode(mode).is_ok(), offered, "{name}: {mode}");
            assert_eq!(policy.mode(), if offered { Some(mode) } else { before }, "{name}");
            assert_eq!(policy.recent_events().len() > told, offered, "{name} tells of {mode}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_percentage_over_a_hundred_is_refused_by_its_field() {
    let registry = Registry::new();
    for sample in every(&registry) {
        let before = seen(&sample);
        let error = sample.policy.set_mode(Mode::EnforcePercent(101)).unwrap_err();
        assert!(error.field().contains("mode"), "{}: {error}", sample.name);
        assert_eq!(seen(&sample), before, "{}", sample.name);
    }
}

#[test]
fn an_action_is_known_by_its_word() {
    for action in Action::ALL {
        assert_eq!(Action::from_word(action.as_str()), Some(action));
    }
}
