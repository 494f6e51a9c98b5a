//! Every setting of a load shedding.

use portcullis::{
    ConfigError, LoadShed, Mode, Registry,
    shed::{self, LoadShedBuilder},
};

use super::{HOUR, MILLI, check, count, share, time};
use crate::common::{ms, secs};

/// Builds it, and lets a call in.
fn use_shed(builder: LoadShedBuilder) -> Result<(), ConfigError> {
    let shed = builder.registry(&Registry::new()).build()?;
    assert!(shed.try_admit().is_ok() && !format!("{shed:?}").is_empty());
    Ok(())
}

fn new() -> LoadShedBuilder {
    LoadShed::builder("t29")
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_load_shedding() {
    // A setting that is added does not compile here until it is tested below.
    let shed::Config {
        max_in_flight: _,
        shares: _,
        queue_delay: _,
        pressure: _,
        cut: _,
        max_cut: _,
        retry_after: _,
        mode: _,
    } = shed::Config::default();
    let minute = secs(60);

    count("load_shed.max_in_flight", 1..=1_000_000, |n| use_shed(new().max_in_flight(n)));
    share("load_shed.shares", 0.01..=1.0, |share| {
        // Not less than the one before, where that is any number at all.
        let next = if share >= 0.01 { share.min(1.0) } else { 0.01 };
        use_shed(new().shares([share, next, 1.0, 1.0, 1.0]))
    });
    time("load_shed.queue_delay.target", MILLI..=minute, |target| {
        use_shed(new().queue_delay(target, minute))
    });
    time("load_shed.queue_delay.interval", ms(10)..=minute, |time| use_shed(new().queue_delay(MILLI, time)));
    share("load_shed.pressure.limit", 0.01..=1.0, |limit| use_shed(new().pressure_of(limit, || Some(0.0))));
    time("load_shed.pressure.cooling", ms(0)..=minute, |time| {
        use_shed(new().pressure_of(0.5, || None).cooling(time))
    });
    share("load_shed.max_cut", 0.05..=0.999, |share| use_shed(new().max_cut(share)));
    share("load_shed.cut", 0.0..=0.98, |share| use_shed(new().cut(share)));
    time("load_shed.retry_after", MILLI..=HOUR, |time| use_shed(new().retry_after(time)));
    check("load_shed.mode.enforce_percent", 0..=100, &[0, 1, 99, 100, 101, u8::MAX], |percent| {
        use_shed(new().mode(Mode::EnforcePercent(percent)))
    });
    use_shed(new().config(shed::Config { cut: 1.0, ..Default::default() })).unwrap_err();
}

/// What is wrong only together: no combination panics, and a typed error is all there is.
#[tokio::test(start_paused = true)]
async fn t29_no_settings_of_a_load_shedding_panic_together() {
    let times = [std::time::Duration::ZERO, MILLI, ms(10), secs(60), std::time::Duration::MAX];
    let shares = [f64::NAN, -1.0, 0.0, 0.01, 0.5, 0.98, 1.0, f64::INFINITY];
    for (target, interval) in times.into_iter().flat_map(|t| times.map(|u| (t, u))) {
        for (cut, max_cut) in shares.into_iter().flat_map(|t| shares.map(|u| (t, u))) {
            let config = shed::Config {
                queue_delay: Some(shed::QueueDelay { target, interval }),
                cut,
                max_cut,
                retry_after: Some(target),
                shares: [cut, cut, max_cut, 1.0, 1.0],
                max_in_flight: Some(1),
                ..Default::default()
            };
            let fits = config.check();
            assert_eq!(use_shed(new().config(config)), fits);
        }
    }
}
