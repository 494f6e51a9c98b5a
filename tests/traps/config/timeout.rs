//! Every setting of a timeout.

use portcullis::{
    ConfigError, Mode, Registry, Timeout, TimeoutScope,
    timeout::{self, Adaptive, TimeoutBuilder},
};

use super::{DAY, MILLI, check, count, share, time};
use crate::common::secs;

/// Builds it, and looks at it.
fn use_timeout(builder: TimeoutBuilder) -> Result<(), ConfigError> {
    let timeout = builder.registry(&Registry::new()).build()?;
    assert!(timeout.status().limit >= MILLI && !format!("{timeout:?}").is_empty());
    Ok(())
}

fn new() -> TimeoutBuilder {
    Timeout::builder("t29", secs(10))
}

fn adaptive(change: impl Fn(&mut Adaptive)) -> Result<(), ConfigError> {
    let mut adaptive = Adaptive::default();
    change(&mut adaptive);
    use_timeout(new().adaptive(adaptive))
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_timeout() {
    // A setting that is added does not compile here until it is tested below.
    let timeout::Config {
        limit: _,
        scope: _,
        whole_response: _,
        body: _,
        body_idle: _,
        mode: _,
        adaptive: _,
    } = timeout::Config::default();
    let Adaptive { quantile: _, factor: _, at_least: _, min_calls: _ } = Adaptive::default();

    time("timeout.limit", MILLI..=DAY, |time| use_timeout(Timeout::builder("t29", time)));
    time("timeout.body", MILLI..=DAY, |time| use_timeout(new().body(time)));
    time("timeout.body_idle", MILLI..=DAY, |time| use_timeout(new().body_idle(time)));
    share("timeout.adaptive.quantile", 0.5..=0.999, |share| adaptive(|rule| rule.quantile = share));
    share("timeout.adaptive.factor", 1.5..=100.0, |factor| adaptive(|rule| rule.factor = factor));
    time("timeout.adaptive.at_least", MILLI..=secs(10), |time| adaptive(|rule| rule.at_least = time));
    count("timeout.adaptive.min_calls", 1..=1_000_000, |n| adaptive(|rule| rule.min_calls = n));
    check("timeout.seed", 0..=u64::MAX, &[0, u64::MAX], |seed| use_timeout(new().seed(seed)));
    check("timeout.mode.enforce_percent", 0..=100, &[0, 1, 99, 100, 101, u8::MAX], |percent| {
        use_timeout(new().mode(Mode::EnforcePercent(percent)))
    });
    for scope in [TimeoutScope::Total, TimeoutScope::Attempt] {
        use_timeout(new().scope(scope).whole_response(true)).unwrap();
    }
    for scope in [TimeoutScope::Body, TimeoutScope::Idle] {
        assert_eq!(use_timeout(new().scope(scope)).unwrap_err().field(), "timeout.scope");
    }
    for preset in timeout::Preset::ALL {
        use_timeout(new().preset(preset)).unwrap();
    }
}
