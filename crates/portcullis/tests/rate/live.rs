//! Other settings, and modes, while calls flow.

use portcullis::{Mode, rate::Config};
use tokio::{
    task::yield_now,
    time::{Instant, advance},
};

use super::support::{SECOND, limit, ms};

#[tokio::test(start_paused = true)]
async fn a_new_rate_keeps_what_was_taken() {
    let limit = limit(10).burst(10).build().unwrap();
    limit.try_admit_many(8).unwrap();
    let config = Config { permits: 1, ..(*limit.config()).clone() };
    limit.reconfigure(config).unwrap();
    assert_eq!(limit.status().available, 2);
    limit.try_admit_many(2).unwrap();
    assert_eq!(limit.try_admit().unwrap_err().retry_after(), Some(SECOND));

    let error = limit.reconfigure(Config { permits: 0, ..Config::default() }).unwrap_err();
    assert_eq!((error.field(), limit.config().permits), ("rate.permits", 1));
}

#[tokio::test(start_paused = true)]
async fn who_waits_goes_on_waiting_by_the_new_rate() {
    let limit = limit(1).queue(4, 10 * SECOND).build().unwrap();
    limit.try_admit().unwrap();
    let (waits, start) = (limit.clone(), Instant::now());
    let call = tokio::spawn(async move { waits.admit(1).await.map(|()| start.elapsed()) });
    yield_now().await;
    limit.reconfigure(Config { permits: 10, ..(*limit.config()).clone() }).unwrap();
    assert_eq!(call.await.unwrap().unwrap(), ms(100));
}

#[tokio::test(start_paused = true)]
async fn a_shadow_counts_and_lets_all_pass() {
    let limit = limit(1).queue(4, 10 * SECOND).mode(Mode::Shadow).build().unwrap();
    for _ in 0..5 {
        limit.admit(1).await.unwrap();
        limit.try_admit().unwrap();
    }
    let status = limit.status();
    assert_eq!((status.shadowed, status.rejected, status.waited), (9, 0, 0));

    limit.set_mode(Mode::Disabled).unwrap();
    limit.try_admit_many(99).unwrap();
    assert_eq!(limit.status().shadowed, 9, "nothing is decided");
    limit.set_mode(Mode::Enforce).unwrap();
    assert!(limit.try_admit().is_err(), "what was taken before still is");
}

#[tokio::test(start_paused = true)]
async fn a_part_of_the_refusals_can_be_enforced() {
    let limit = limit(1).mode(Mode::EnforcePercent(30)).seed(7).build().unwrap();
    advance(SECOND).await;
    limit.try_admit().unwrap();
    let refused = (0..1000).filter(|_| limit.try_admit().is_err()).count();
    assert!((250..350).contains(&refused), "{refused} of 1000");
    let status = limit.status();
    assert_eq!((status.rejected as usize, status.rejected + status.shadowed), (refused, 1000));
}
