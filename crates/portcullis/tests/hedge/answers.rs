//! Which attempt answers, and what becomes of the others.

use tower::{Layer, Service, ServiceExt};

use super::support::{Act, Dependency, hedge, ms};
use portcullis::HedgeLayer;

#[tokio::test(start_paused = true)]
async fn a_call_that_is_fast_is_sent_once() {
    let (hedge, dependency) = (hedge().build().unwrap(), Dependency::of([Act::Ok(19)]));
    assert_eq!(dependency.call(&hedge).await.unwrap(), 1);
    assert_eq!(dependency.log.lines(), ["1 sent @0", "answer of 1 @19"]);
    let status = hedge.status();
    assert_eq!((status.calls, status.sent), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_loser_is_dropped_before_the_hedge_s_answer_is_returned() {
    let (hedge, dependency) = (hedge().build().unwrap(), Dependency::of([Act::Hang, Act::Ok(5)]));
    assert_eq!(dependency.call(&hedge).await.unwrap(), 2);
    assert_eq!(dependency.log.lines(), ["1 sent @0", "2 sent @20", "1 dropped @25", "answer of 2 @25"]);
    let status = hedge.status();
    assert_eq!((status.sent, status.won, status.lost, status.failed), (1, 1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_loses_is_dropped_before_the_first_s_answer_is_returned() {
    let (hedge, dependency) = (hedge().build().unwrap(), Dependency::of([Act::Ok(30), Act::Hang]));
    assert_eq!(dependency.call(&hedge).await.unwrap(), 1);
    assert_eq!(dependency.log.lines(), ["1 sent @0", "2 sent @20", "2 dropped @30", "answer of 1 @30"]);
    let status = hedge.status();
    assert_eq!((status.sent, status.won, status.lost, status.failed), (1, 0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_wins_a_tie_against_the_delay() {
    let (hedge, dependency) = (hedge().build().unwrap(), Dependency::of([Act::Ok(20)]));
    assert_eq!(dependency.call(&hedge).await.unwrap(), 1);
    assert_eq!(dependency.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn attempts_are_sent_one_after_the_other_and_no_more_than_allowed() {
    let hedge = hedge().max_attempts(4).build().unwrap();
    let dependency = Dependency::of([Act::Ok(500)]);
    assert_eq!(dependency.call(&hedge).await.unwrap(), 1);
    let sent: Vec<_> = dependency.log.lines().into_iter().filter(|line| line.contains("sent")).collect();
    assert_eq!(sent, ["1 sent @0", "2 sent @20", "3 sent @40", "4 sent @60"]);
    assert_eq!(hedge.status().lost, 3);
}

#[tokio::test(start_paused = true)]
async fn without_a_delay_all_are_sent_at_once() {
    let hedge = hedge().fixed_delay(ms(0)).max_attempts(3).build().unwrap();
    let dependency = Dependency::of([Act::Hang, Act::Hang, Act::Ok(1)]);
    assert_eq!(dependency.call(&hedge).await.unwrap(), 3);
    let lines = dependency.log.lines();
    assert_eq!(lines[..3], ["1 sent @0", "2 sent @0", "3 sent @0"]);
    assert_eq!(lines.last().unwrap(), "answer of 3 @1");
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_the_next_is_sent_at_once() {
    let hedge = hedge().max_attempts(3).build().unwrap();
    let dependency = Dependency::of([Act::Fail(5, "down"), Act::Fail(5, "down"), Act::Ok(5)]);
    assert_eq!(dependency.call(&hedge).await.unwrap(), 3);
    assert_eq!(dependency.log.lines(), ["1 sent @0", "2 sent @5", "3 sent @10", "answer of 3 @15"]);
    assert_eq!((hedge.status().won, hedge.status().failed), (1, 1));
}

/// The delay begins anew with each attempt that is sent.
#[tokio::test(start_paused = true)]
async fn a_failing_hedge_has_the_next_sent_at_once_and_then_after_the_delay() {
    let hedge = hedge().max_attempts(4).build().unwrap();
    let dependency = Dependency::of([Act::Ok(100), Act::Fail(5, "down")]);
    assert_eq!(dependency.call(&hedge).await.unwrap(), 1);
    let sent: Vec<_> = dependency.log.lines().into_iter().filter(|line| line.contains("sent")).collect();
    assert_eq!(sent, ["1 sent @0", "2 sent @20", "3 sent @25", "4 sent @45"]);
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_the_last_failure_is_returned() {
    let hedge = hedge().max_attempts(3).build().unwrap();
    let acts = [Act::Fail(30, "first"), Act::Fail(50, "second"), Act::Fail(1, "third")];
    let dependency = Dependency::of(acts);
    assert_eq!(dependency.call(&hedge).await.unwrap_err().0, "second");
    assert_eq!(dependency.log.lines().last().unwrap(), "error \"second\" @70");
    assert_eq!(hedge.status().failed, 2);
}

/// Two attempts of it may run at once.
#[tokio::test(start_paused = true)]
async fn what_is_not_known_to_be_idempotent_is_sent_once() {
    let (hedge, dependency) = (hedge().build().unwrap(), Dependency::of([Act::Ok(500)]));
    let service = HedgeLayer::new(hedge.clone()).typed().layer(dependency.clone());
    assert_eq!(service.oneshot(7).await.unwrap(), 1);
    assert_eq!((dependency.attempts(), hedge.status().calls), (1, 0));

    let dependency = Dependency::of([Act::Ok(500), Act::Ok(500)]);
    let layer = HedgeLayer::new(hedge).typed().idempotent_if(|request: &u32| request % 2 == 0);
    let mut service = layer.layer(dependency.clone());
    service.ready().await.unwrap().call(1).await.unwrap();
    assert_eq!(dependency.attempts(), 1);
    service.ready().await.unwrap().call(2).await.unwrap();
    assert_eq!(dependency.attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_drops_every_attempt() {
    let hedge = hedge().max_attempts(3).build().unwrap();
    let dependency = Dependency::of([]);
    tokio::time::timeout(ms(50), dependency.call(&hedge)).await.unwrap_err();
    let mut lines = dependency.log.lines().split_off(3);
    lines.sort_unstable();
    assert_eq!(lines, ["1 dropped @50", "2 dropped @50", "3 dropped @50"]);
    assert_eq!((hedge.status().sent, hedge.status().lost), (2, 2));
}
