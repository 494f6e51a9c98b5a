//! Every setting of the ejection of outliers.

use std::time::Duration;

use portcullis::{
    ConfigError, Endpoints, FailureKind, Mode, Outliers, Registry, Ticket, Verdict,
    balance::{self, FailureShare, Measure, OutliersBuilder, SlowStart, SuccessRate},
};

use super::{DAY, MILLI, check, count, share, time};
use crate::common::{ms, secs};

/// Builds it, and counts calls.
fn use_outliers(builder: OutliersBuilder) -> Result<(), ConfigError> {
    let outliers = builder.registry(&Registry::new()).build()?;
    let endpoint = outliers.join("a");
    endpoint.admit().settle(Verdict::Success);
    assert!(endpoint.is_usable() && !format!("{outliers:?}").is_empty());
    Ok(())
}

fn new() -> OutliersBuilder {
    Outliers::builder("t29")
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_outliers() {
    // A setting that is added does not compile here until it is tested below.
    let balance::Config {
        interval: _,
        base_ejection: _,
        max_ejection: _,
        ejection_jitter: _,
        max_ejected_share: _,
        consecutive: _,
        split_local: _,
        consecutive_local: _,
        success_rate: _,
        failure_share: _,
        panic_threshold: _,
        slow_start: _,
        ignored: _,
        mode: _,
    } = balance::Config::default();

    time("outlier.interval", ms(10)..=DAY, |time| use_outliers(new().interval(time)));
    time("outlier.base_ejection", MILLI..=DAY, |time| use_outliers(new().ejection(time, DAY)));
    time("outlier.max_ejection", MILLI..=DAY, |time| use_outliers(new().ejection(MILLI, time)));
    time("outlier.ejection_jitter", Duration::ZERO..=DAY, |time| use_outliers(new().ejection_jitter(time)));
    share("outlier.max_ejected_share", 0.0..=1.0, |share| use_outliers(new().max_ejected_share(share)));
    count("outlier.consecutive", 1..=1000, |n| use_outliers(new().consecutive(n)));
    count("outlier.consecutive_local", 1..=1000, |n| use_outliers(new().split_local(n)));
    share("outlier.panic_threshold", 0.0..=1.0, |share| use_outliers(new().panic_threshold(share)));
    let percent = |percent| use_outliers(new().mode(Mode::EnforcePercent(percent)));
    check("outlier.mode.enforce_percent", 0..=100, &[0, 100, 101, u8::MAX], percent);
    for preset in balance::Preset::ALL {
        use_outliers(new().preset(preset)).unwrap();
    }
    use_outliers(new().ignored(FailureKind::ALL).no_consecutive()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn t29_every_rule_of_outliers() {
    let SuccessRate { deviations: _, min_difference: _, min_requests: _, min_endpoints: _ } =
        SuccessRate::default();
    let rate = |rule| use_outliers(new().success_rate(Some(rule)));
    let usual = SuccessRate::default;
    share("outlier.success_rate.deviations", 0.1..=10.0, |deviations| {
        rate(SuccessRate { deviations, ..usual() })
    });
    share("outlier.success_rate.min_difference", 0.0..=1.0, |min_difference| {
        rate(SuccessRate { min_difference, ..usual() })
    });
    count("outlier.success_rate.min_requests", 1..=1_000_000, |min_requests| {
        rate(SuccessRate { min_requests, ..usual() })
    });
    count("outlier.success_rate.min_endpoints", 1..=100_000, |min_endpoints| {
        rate(SuccessRate { min_endpoints, ..usual() })
    });

    let FailureShare { threshold: _, min_requests: _, min_endpoints: _ } = FailureShare::default();
    let failed = |rule| use_outliers(new().failure_share(Some(rule)));
    let usual = FailureShare::default;
    share("outlier.failure_share.threshold", 0.01..=1.0, |threshold| {
        failed(FailureShare { threshold, ..usual() })
    });
    count("outlier.failure_share.min_requests", 1..=1_000_000, |min_requests| {
        failed(FailureShare { min_requests, ..usual() })
    });
    count("outlier.failure_share.min_endpoints", 1..=100_000, |min_endpoints| {
        failed(FailureShare { min_endpoints, ..usual() })
    });

    let SlowStart { window: _, min_weight: _, aggression: _ } = SlowStart::default();
    let slow = |slow_start| use_outliers(new().slow_start(slow_start));
    let usual = SlowStart::default;
    time("outlier.slow_start.window", secs(1)..=DAY, |window| slow(SlowStart { window, ..usual() }));
    share("outlier.slow_start.min_weight", 0.01..=1.0, |min_weight| {
        slow(SlowStart { min_weight, ..usual() })
    });
    share("outlier.slow_start.aggression", 0.1..=10.0, |aggression| {
        slow(SlowStart { aggression, ..usual() })
    });
}

#[tokio::test(start_paused = true)]
async fn t29_how_loads_are_measured() {
    time("balance.peak_ewma", ms(10)..=DAY, |decay| {
        let outliers = new().registry(&Registry::new()).build()?;
        Endpoints::<()>::measuring(outliers, Measure::PeakEwma(decay)).map(drop)
    });
}
