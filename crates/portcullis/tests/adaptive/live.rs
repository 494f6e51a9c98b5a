//! Other settings, and modes, while calls flow.

use portcullis::{
    Mode, Verdict,
    adaptive::{Algorithm, Config, Gradient, Preset},
};

use super::support::{limit, ms, rounds};

#[tokio::test(start_paused = true)]
async fn other_bounds_move_the_limit_and_keep_what_was_learned() {
    let limit = limit(20).build().unwrap();
    rounds(&limit, 100, ms(20), Verdict::Success).await;
    let before = limit.status();
    limit.reconfigure(Config { max: 30, initial: 5, ..limit.config() }).unwrap();
    let after = limit.status();
    assert_eq!((after.limit, after.baseline, after.windows), (30, before.baseline, before.windows));

    let error = limit.reconfigure(Config { min: 0, ..limit.config() }).unwrap_err();
    assert_eq!((error.field(), limit.config().max), ("adaptive_limit.min", 30));
}

/// Else the limit would stand until the end of the long window.
#[tokio::test(start_paused = true)]
async fn a_shorter_window_begins_at_once() {
    let limit = limit(20).window(ms(60_000), 10).build().unwrap();
    rounds(&limit, 10, ms(20), Verdict::Success).await;
    let before = limit.status().windows;
    limit.reconfigure(Config { window: ms(100), ..limit.config() }).unwrap();
    rounds(&limit, 100, ms(20), Verdict::Success).await;
    assert!(limit.status().windows > before + 5, "{limit:?}");
}

#[tokio::test(start_paused = true)]
async fn another_algorithm_goes_on_from_where_the_limit_is() {
    let limit = limit(40).build().unwrap();
    let algorithm = Algorithm::Gradient(Gradient::default());
    limit.reconfigure(Config { algorithm, ..limit.config() }).unwrap();
    assert_eq!(limit.status().limit, 40);
    rounds(&limit, 100, ms(20), Verdict::Success).await;
    assert!(limit.status().limit > 40);
}

#[tokio::test(start_paused = true)]
async fn modes_change_while_calls_are_in_flight() {
    let limit = limit(1).build().unwrap();
    let first = limit.try_admit().unwrap();
    limit.set_mode(Mode::Shadow).unwrap();
    let second = limit.try_admit().unwrap();
    assert_eq!((second.in_flight(), limit.status().bypassed, limit.is_refusing()), (2, 1, false));
    limit.set_mode(Mode::Disabled).unwrap();
    let third = limit.try_admit().unwrap();
    assert_eq!((third.in_flight(), limit.status().in_flight), (0, 2));
    drop((first, second, third));
    assert_eq!(limit.status().in_flight, 0);
    limit.set_mode(Mode::Enforce).unwrap();
    let _held = limit.try_admit().unwrap();
    assert!(limit.try_admit().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_part_of_the_refusals_can_be_enforced() {
    let limit = limit(1).mode(Mode::EnforcePercent(30)).seed(7).build().unwrap();
    let _held = limit.try_admit().unwrap();
    let refused = (0..1000).filter(|_| limit.try_admit().is_err()).count();
    assert!((250..350).contains(&refused), "{refused} of 1000");
    let status = limit.status();
    assert_eq!((status.rejected as usize, status.rejected + status.bypassed), (refused, 1000));
}

#[test]
fn a_preset_is_where_it_begins() {
    let limit = limit(1).preset(Preset::Database).build().unwrap();
    assert_eq!(limit.config(), Preset::Database.config());
}
