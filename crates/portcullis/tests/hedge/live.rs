//! Settings and modes that change while calls flow.

use portcullis::{
    Mode,
    hedge::{Config, Delay, Preset},
};

use super::support::{Act, Dependency, hedge, ms};

#[tokio::test(start_paused = true)]
async fn a_shadow_counts_and_sends_nothing() {
    let hedge = hedge().mode(Mode::Shadow).max_attempts(3).build().unwrap();
    let dependency = Dependency::new(|_| Act::Ok(100));
    assert_eq!(dependency.call(&hedge).await.unwrap(), 1);
    let failing = Dependency::of([Act::Fail(5, "down")]);
    assert_eq!(failing.call(&hedge).await.unwrap_err().0, "down");
    let status = hedge.status();
    assert_eq!((status.shadowed, status.sent, dependency.attempts()), (2, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_share_is_enforced() {
    let hedge = hedge().mode(Mode::EnforcePercent(30)).budget_of(1.0, 1000).seed(7).build().unwrap();
    let dependency = Dependency::new(|_| Act::Ok(100));
    for _ in 0..1000 {
        dependency.call(&hedge).await.unwrap();
    }
    let status = hedge.status();
    assert_eq!(status.sent + status.shadowed, 1000);
    assert!((250..350).contains(&status.sent), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn the_mode_can_be_switched() {
    let hedge = hedge().build().unwrap();
    let dependency = Dependency::new(|_| Act::Ok(100));
    for (mode, attempts) in [(Mode::Disabled, 1), (Mode::Enforce, 2), (Mode::Shadow, 1), (Mode::Disabled, 1)]
    {
        let before = dependency.attempts();
        hedge.set_mode(mode).unwrap();
        dependency.call(&hedge).await.unwrap();
        assert_eq!(dependency.attempts() - before, attempts, "{mode:?}");
        assert_eq!(hedge.status().mode, mode);
    }
    assert_eq!(hedge.status().calls, 2, "a disabled hedge counts nothing");
    assert!(hedge.set_mode(Mode::EnforcePercent(101)).is_err());
}

#[tokio::test(start_paused = true)]
async fn settings_change_for_calls_to_come() {
    let hedge = hedge().build().unwrap();
    let dependency = Dependency::new(|_| Act::Ok(100));
    let running = {
        let (dependency, hedge) = (dependency.clone(), hedge.clone());
        tokio::spawn(async move { dependency.call(&hedge).await })
    };
    tokio::task::yield_now().await;
    let config = Config { delay: Delay::Fixed(ms(500)), ..(*hedge.config()).clone() };
    hedge.reconfigure(config.clone()).unwrap();
    running.await.unwrap().unwrap();
    assert_eq!(dependency.attempts(), 2, "it keeps the delay that it began with");
    dependency.call(&hedge).await.unwrap();
    assert_eq!(dependency.attempts(), 3);
    assert_eq!(*hedge.config(), config);

    let error = hedge.reconfigure(Config { max_attempts: 9, ..config.clone() }).unwrap_err();
    assert_eq!(error.field(), "hedge.max_attempts");
    assert_eq!(*hedge.config(), config, "nothing has changed");
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_stays_known() {
    let hedge = hedge().percentile(0.5).build().unwrap();
    let dependency = Dependency::new(|_| Act::Ok(50));
    for _ in 0..100 {
        dependency.call(&hedge).await.unwrap();
    }
    hedge.reconfigure(Config { delay: Delay::percentile(0.9), ..(*hedge.config()).clone() }).unwrap();
    let delay = hedge.status().delay.unwrap();
    assert!(delay.abs_diff(ms(50)) < ms(3), "{delay:?}");
}

#[test]
fn presets_are_settings_to_start_from() {
    for preset in Preset::ALL {
        let hedge = hedge().preset(preset).build().unwrap();
        assert_eq!(*hedge.config(), preset.config());
    }
}
