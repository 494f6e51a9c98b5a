//! Settings that change while calls flow.

use portcullis::{Mode, coalesce::Config};
use portcullis_testkit::script::Step;
use tokio_test::assert_ready_ok;

use super::support::{begun, by_tens, coalesce, dependency};

#[tokio::test]
async fn in_shadow_it_is_only_counted() {
    let coalesce = coalesce().mode(Mode::Shadow).build().unwrap();
    let (inner, handle) = dependency([]);
    let service = by_tens(&coalesce, inner);
    let _calls = [1, 2, 3].map(|n| begun(&service, n));
    let status = coalesce.status();
    assert_eq!((handle.tally().calls, status.led, status.shadowed, status.waiting), (3, 1, 2, 0));
}

#[tokio::test]
async fn disabled_nothing_is_done_nor_counted() {
    let coalesce = coalesce().mode(Mode::Disabled).build().unwrap();
    let (inner, handle) = dependency([]);
    let service = by_tens(&coalesce, inner);
    let _calls = [1, 2, 3].map(|n| begun(&service, n));
    let status = coalesce.status();
    assert_eq!((handle.tally().calls, status.led, status.shadowed, status.keyless), (3, 0, 0, 0));
}

#[tokio::test]
async fn so_many_percent_wait() {
    let coalesce = coalesce().mode(Mode::EnforcePercent(25)).seed(1).build().unwrap();
    let (inner, handle) = dependency([]);
    let service = by_tens(&coalesce, inner);
    let _calls: Vec<_> = (0..1000).map(|_| begun(&service, 1)).collect();
    let (waiting, calls) = (coalesce.status().waiting, handle.tally().calls as u64);
    assert_eq!(waiting + calls, 1000);
    assert!((200..300).contains(&waiting), "{waiting}");
}

#[tokio::test]
async fn who_waits_goes_on_waiting() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([Step::ok(7).held()]);
    let service = by_tens(&coalesce, inner);
    let [mut leader, mut waiter] = [1, 2].map(|n| begun(&service, n));
    coalesce.reconfigure(Config { max_waiting: 1, max_keys: 1, ..Config::default() }).unwrap();
    coalesce.set_mode(Mode::Disabled).unwrap();
    handle.release();
    assert_eq!(assert_ready_ok!(leader.poll()), 7);
    assert_eq!(assert_ready_ok!(waiter.poll()), 7);
    assert_eq!((coalesce.config().max_waiting, coalesce.config().mode), (1, Mode::Disabled));
}

#[test]
fn what_cannot_work_changes_nothing() {
    let coalesce = coalesce().max_keys(5).build().unwrap();
    let error = coalesce.reconfigure(Config { max_keys: 0, ..Config::default() }).unwrap_err();
    assert_eq!(error.to_string(), "coalesce.max_keys is 0: allowed is 1 to 1000000");
    let error = coalesce.set_mode(Mode::EnforcePercent(101)).unwrap_err();
    assert_eq!(error.field(), "coalesce.mode.enforce_percent");
    assert_eq!(coalesce.config().max_keys, 5);
}
