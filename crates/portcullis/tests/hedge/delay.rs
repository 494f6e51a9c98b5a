//! When the second attempt is sent.

use portcullis::hedge::{DEFAULT_INITIAL, Delay, Percentile};

use super::support::{Act, Dependency, hedge, ms};

#[tokio::test(start_paused = true)]
async fn a_percentile_follows_the_dependency() {
    let hedge = hedge().percentile(0.95).build().unwrap();
    assert_eq!(hedge.status().delay, Some(DEFAULT_INITIAL));
    let dependency = Dependency::new(|attempt| Act::Ok(u64::from(attempt % 100) + 1));
    for _ in 0..100 {
        dependency.call(&hedge).await.unwrap();
    }
    assert_eq!(hedge.status().sent, 0, "none took longer than the initial delay");
    let delay = hedge.status().delay.unwrap();
    assert!(delay.abs_diff(ms(95)) < ms(4), "{delay:?}");

    tokio::time::sleep(ms(100)).await; // by then it is looked up again
    let slow = Dependency::of([Act::Hang, Act::Ok(5)]);
    assert_eq!(slow.call(&hedge).await.unwrap(), 2);
    let lines = slow.log.lines();
    assert!(lines[1].starts_with("2 sent @9"), "{lines:?}");
}

/// A first attempt that loses counts as long as it was waited for. Else hedging would make calls look fast,
/// and be done ever sooner.
#[tokio::test(start_paused = true)]
async fn hedging_does_not_shorten_its_own_delay() {
    let hedge = hedge().percentile(0.9).budget_of(1.0, 1000).build().unwrap();
    // One of ten first attempts hangs, all hedges answer at once.
    let dependency = Dependency::new(|attempt| if attempt % 11 == 10 { Act::Hang } else { Act::Ok(10) });
    for _ in 0..1000 {
        dependency.call(&hedge).await.unwrap();
    }
    let (status, delay) = (hedge.status(), hedge.status().delay.unwrap());
    assert!((80..=120).contains(&status.won), "{status:?}");
    assert!(delay.abs_diff(ms(10)) < ms(2), "{delay:?}");
}

#[tokio::test(start_paused = true)]
async fn a_percentile_keeps_its_bounds() {
    let rule = Percentile { at_least: ms(30), at_most: ms(40), initial: ms(10), ..Percentile::default() };
    let hedge = hedge().delay(Delay::Percentile(rule)).build().unwrap();
    assert_eq!(hedge.status().delay, Some(ms(10)));
    let dependency = Dependency::new(|_| Act::Ok(1));
    for _ in 0..100 {
        dependency.call(&hedge).await.unwrap();
    }
    assert_eq!(hedge.status().delay, Some(ms(30)));
}

#[tokio::test(start_paused = true)]
async fn a_function_is_asked_for_each_attempt() {
    let delay = Delay::function(|attempt| match attempt {
        2 => Some(ms(7)),
        3 => Some(ms(50)),
        _ => None,
    });
    let hedge = hedge().delay(delay).max_attempts(5).build().unwrap();
    let dependency = Dependency::of([Act::Ok(500)]);
    dependency.call(&hedge).await.unwrap();
    assert_eq!(dependency.log.lines()[..3], ["1 sent @0", "2 sent @7", "3 sent @57"]);
    assert_eq!((dependency.attempts(), hedge.status().delay), (3, None));
}

#[tokio::test(start_paused = true)]
async fn a_function_that_panics_hedges_nothing() {
    let hedge = hedge().delay(Delay::function(|_| panic!("no delay"))).build().unwrap();
    let dependency = Dependency::of([Act::Ok(500)]);
    assert_eq!(dependency.call(&hedge).await.unwrap(), 1);
    assert_eq!(dependency.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_no_time_for_what_it_does_not_need() {
    let hedge = hedge().fixed_delay(ms(24 * 60 * 60 * 1000)).build().unwrap();
    let dependency = Dependency::of([Act::Ok(1)]);
    assert_eq!(dependency.call(&hedge).await.unwrap(), 1);
}
