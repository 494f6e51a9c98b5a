//! Every setting of a hedge.

use std::time::Duration;

use portcullis::{
    ConfigError, FailureKind, Hedge, HedgeLayer, Mode, Registry,
    hedge::{self, Delay, HedgeBuilder, Percentile},
};
use tower::{ServiceBuilder, ServiceExt};

use super::{DAY, check, count, share, time};
use crate::common::{healthy, secs};

/// Builds it, and makes a call.
fn use_hedge(builder: HedgeBuilder) -> Result<(), ConfigError> {
    let hedge = builder.registry(&Registry::new()).build()?;
    let service =
        ServiceBuilder::new().layer(HedgeLayer::new(hedge.clone()).idempotent()).service(healthy().0);
    let mut call = tokio_test::task::spawn(service.oneshot(1));
    let _ = call.poll();
    assert!(!format!("{hedge:?}").is_empty());
    Ok(())
}

fn new() -> HedgeBuilder {
    Hedge::builder("t29")
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_hedge() {
    // A setting that is added does not compile here until it is tested below.
    let hedge::Config { delay: _, max_attempts: _, max_retry_after: _, fatal: _, mode: _, budget: _ } =
        hedge::Config::default();

    count("hedge.max_attempts", 2..=5, |n| use_hedge(new().max_attempts(n)));
    time("hedge.max_retry_after", Duration::ZERO..=DAY, |time| use_hedge(new().max_retry_after(time)));
    share("budget.ratio", 0.0..=1.0, |ratio| use_hedge(new().budget_of(ratio, 10)));
    count("budget.min_per_second", 0..=1_000_000, |n| use_hedge(new().budget_of(0.2, n)));
    check("hedge.seed", 0..=u64::MAX, &[0, u64::MAX], |seed| use_hedge(new().seed(seed)));
    let percent = |percent| use_hedge(new().mode(Mode::EnforcePercent(percent)));
    check("hedge.mode.enforce_percent", 0..=100, &[0, 100, 101, u8::MAX], percent);
    for kind in FailureKind::ALL {
        use_hedge(new().fatal(kind)).unwrap();
    }
    for preset in hedge::Preset::ALL {
        use_hedge(new().preset(preset)).unwrap();
    }
    use_hedge(new().config(hedge::Config { max_attempts: 1, ..Default::default() })).unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_hedges_delay() {
    let Percentile { quantile: _, at_least: _, at_most: _, initial: _ } = Percentile::default();
    let delay = |percentile| use_hedge(new().delay(Delay::Percentile(percentile)));
    let (zero, rest) = (Duration::ZERO, Percentile::default);

    time("hedge.delay", zero..=DAY, |time| use_hedge(new().fixed_delay(time)));
    share("hedge.delay.quantile", 0.5..=0.999, |quantile| use_hedge(new().percentile(quantile)));
    time("hedge.delay.at_most", zero..=DAY, |at_most| {
        delay(Percentile { at_least: zero, at_most, ..rest() })
    });
    time("hedge.delay.at_least", zero..=secs(7), |at_least| {
        delay(Percentile { at_least, at_most: secs(7), ..rest() })
    });
    time("hedge.delay.initial", zero..=DAY, |initial| delay(Percentile { initial, ..rest() }));
    use_hedge(new().delay(Delay::function(|_| Some(Duration::MAX)))).unwrap();
    use_hedge(new().delay(Delay::function(|_| None))).unwrap();
}
