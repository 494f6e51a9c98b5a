//! Every setting of a rate limit.

use portcullis::{
    ConfigError, Mode, RateLimit, Registry,
    rate::{self, Algorithm, KeyedRateLimit, RateLimitBuilder, Warmup},
};

use super::{DAY, HOUR, MILLI, check, count, share, time};
use crate::common::secs;

/// Builds it, and takes a permit.
fn use_limit(builder: RateLimitBuilder) -> Result<(), ConfigError> {
    let limit = builder.registry(&Registry::new()).build()?;
    assert!(limit.try_admit().is_ok() && !format!("{limit:?}").is_empty());
    Ok(())
}

fn new() -> RateLimitBuilder {
    RateLimit::builder("t29")
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_rate_limit() {
    // A setting that is added does not compile here until it is tested below.
    let rate::Config {
        permits: _,
        period: _,
        burst: _,
        algorithm: _,
        warmup: _,
        max_queued: _,
        max_wait: _,
        mode: _,
    } = rate::Config::default();
    let (second, slow) = (secs(1), || new().rate(1, 30 * DAY).burst(1));

    count("rate.permits", 1..=1_000_000, |n| use_limit(new().rate(n, second).burst(1)));
    time("rate.period", MILLI..=30 * DAY, |time| use_limit(new().rate(1, time)));
    count("rate.burst", 1..=1_000_000, |n| use_limit(new().burst(n)));
    count("rate.max_queued", 0..=10_000, |n| use_limit(new().queue(n, second)));
    time("rate.max_wait", MILLI..=HOUR, |time| use_limit(slow().queue(1, time)));
    share("rate.warmup.from", 0.01..=1.0, |from| use_limit(new().warmup(from, second)));
    time("rate.warmup.time", MILLI..=HOUR, |time| use_limit(new().warmup(0.5, time)));
    check("rate.mode.enforce_percent", 0..=100, &[0, 1, 99, 100, 101, u8::MAX], |percent| {
        use_limit(new().mode(Mode::EnforcePercent(percent)))
    });
    for algorithm in Algorithm::ALL {
        use_limit(new().config(rate::Config { algorithm, ..Default::default() })).unwrap();
    }
    for preset in rate::Preset::ALL {
        use_limit(new().preset(preset)).unwrap();
    }
    use_limit(new().config(rate::Config { permits: 0, ..Default::default() })).unwrap_err();
}

/// What is wrong only together: no combination panics, and a typed error is all there is.
#[tokio::test(start_paused = true)]
async fn t29_no_settings_of_a_rate_limit_panic_together() {
    let numbers = [0, 1, 7, 999_999, 1_000_000, u32::MAX];
    let times = [std::time::Duration::ZERO, MILLI, secs(1), 30 * DAY, std::time::Duration::MAX];
    for (permits, burst) in numbers.into_iter().flat_map(|n| numbers.map(|m| (n, m))) {
        for (period, time) in times.into_iter().flat_map(|t| times.map(|u| (t, u))) {
            for (algorithm, warm) in Algorithm::ALL.into_iter().flat_map(|a| [(a, false), (a, true)]) {
                let warmup = warm.then_some(Warmup { from: 0.01, time });
                let config = rate::Config {
                    permits,
                    period,
                    burst: Some(burst),
                    algorithm,
                    warmup,
                    ..Default::default()
                };
                let fits = config.check();
                assert_eq!(use_limit(new().config(config.clone())), fits);
                let keyed = KeyedRateLimit::builder("t29").registry(&Registry::new()).config(config);
                assert_eq!(keyed.build().map(|keyed| drop(keyed.limit("a"))), fits);
            }
        }
    }
}
