//! Every setting of a throttle.

use portcullis::{
    ConfigError, FailureKind, Mode, Registry, Throttle,
    throttle::{self, ThrottleBuilder},
};

use super::{HOUR, check, count, share, time};
use crate::common::secs;

/// Builds it, and makes a call.
fn use_throttle(builder: ThrottleBuilder) -> Result<(), ConfigError> {
    let throttle = builder.registry(&Registry::new()).build()?;
    assert!(throttle.try_admit().is_ok() && !format!("{throttle:?}").is_empty());
    Ok(())
}

fn new() -> ThrottleBuilder {
    Throttle::builder("t29")
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_throttle() {
    // A setting that is added does not compile here until it is tested below.
    let throttle::Config { k: _, window: _, max_share: _, min_requests: _, refused_by: _, mode: _ } =
        throttle::Config::default();

    share("throttle.k", 1.1..=100.0, |k| use_throttle(new().k(k)));
    time("throttle.window", secs(1)..=HOUR, |time| use_throttle(new().window(time)));
    share("throttle.max_share", 0.01..=1.0, |share| use_throttle(new().max_share(share)));
    count("throttle.min_requests", 1..=1_000_000, |n| use_throttle(new().min_requests(n)));
    check("throttle.seed", 0..=u64::MAX, &[0, u64::MAX], |seed| use_throttle(new().seed(seed)));
    check("throttle.mode.enforce_percent", 0..=100, &[0, 1, 99, 100, 101, u8::MAX], |percent| {
        use_throttle(new().mode(Mode::EnforcePercent(percent)))
    });
    for kinds in [&[][..], &FailureKind::ALL] {
        use_throttle(new().refused_by(kinds.iter().copied())).unwrap();
    }
    for preset in throttle::Preset::ALL {
        use_throttle(new().preset(preset)).unwrap();
    }
    use_throttle(new().config(throttle::Config { k: 0.0, ..Default::default() })).unwrap_err();
}
