//! Every setting of a keyed bulkhead.

use portcullis::{
    ConfigError, KeyedBulkhead, Mode, Registry,
    bulkhead::keyed::{self, KeyedBulkheadBuilder},
    keyed::Limits,
};

use super::{DAY, HOUR, MILLI, check, count, time};
use crate::common::secs;

/// Builds it, and takes a permit.
fn use_it(builder: KeyedBulkheadBuilder) -> Result<(), ConfigError> {
    let bulkhead = builder.registry(&Registry::new()).build()?;
    assert!(bulkhead.try_admit("a").is_ok() && !format!("{bulkhead:?}").is_empty());
    Ok(())
}

fn new() -> KeyedBulkheadBuilder {
    KeyedBulkhead::builder("t29")
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_keyed_bulkhead() {
    // A setting that is added does not compile here until it is tested below.
    let keyed::Config { overall: _, per_key: _, max_queued: _, max_wait: _, mode: _ } =
        keyed::Config::default();
    let Limits { max_keys: _, idle_after: _ } = Limits::default();

    count("bulkhead.overall", 1..=1_000_000, |n| use_it(new().overall(n)));
    count("bulkhead.per_key", 1..=1_000_000, |n| use_it(new().overall(1_000_000).per_key(n)));
    count("bulkhead.max_queued", 0..=1_000_000, |n| use_it(new().queue(n, secs(1))));
    time("bulkhead.max_wait", MILLI..=HOUR, |time| use_it(new().queue(1, time)));
    check("bulkhead.mode.enforce_percent", 0..=100, &[0, 1, 99, 100, 101, u8::MAX], |percent| {
        use_it(new().mode(Mode::EnforcePercent(percent)))
    });
    time("keyed.idle_after", MILLI..=30 * DAY, |time| use_it(new().idle_after(time)));
    for keys in [0, usize::MAX] {
        assert_eq!(use_it(new().max_keys(keys)).unwrap_err().field(), "keyed.max_keys");
    }
    for preset in keyed::Preset::ALL {
        use_it(new().preset(preset)).unwrap();
    }
    use_it(new().config(keyed::Config { overall: 0, ..Default::default() })).unwrap_err();
}

/// What is wrong only together: no combination panics, and a typed error is all there is.
#[tokio::test(start_paused = true)]
async fn t29_no_settings_of_a_keyed_bulkhead_panic_together() {
    let numbers = [0, 1, 2, 999_999, 1_000_000, u32::MAX];
    for (overall, per_key) in numbers.into_iter().flat_map(|n| numbers.map(|m| (n, m))) {
        for (max_queued, per_key) in numbers.into_iter().flat_map(|n| [(n, None), (n, Some(per_key))]) {
            let config = keyed::Config { overall, per_key, max_queued, ..Default::default() };
            assert_eq!(use_it(new().config(config.clone())), config.check());
        }
    }
}
