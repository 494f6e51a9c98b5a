//! Every setting of a cache.

use portcullis::{
    Cache, ConfigError, FailureKind, Mode, Registry,
    cache::{self, CacheBuilder},
};

use super::{DAY, MILLI, check, count, share, time};
use crate::common::secs;

/// Builds it, and uses it.
fn use_cache(builder: CacheBuilder<u32, u32>) -> Result<(), ConfigError> {
    let cache = builder.registry(&Registry::new()).build()?;
    cache.insert(1, 1);
    assert!(cache.get(&2).is_none() && !format!("{cache:?}").is_empty());
    Ok(())
}

fn new() -> CacheBuilder<u32, u32> {
    Cache::builder("t29")
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_cache() {
    // A setting that is added does not compile here until it is tested below.
    let cache::Config {
        ttl: _,
        jitter: _,
        stale_while_revalidate: _,
        stale_if_error: _,
        stale_kinds: _,
        stale_on_refusal: _,
        negative_ttl: _,
        max_entries: _,
        max_weight: _,
        refresh_timeout: _,
        max_refreshes: _,
        mode: _,
    } = cache::Config::default();

    let year = DAY * 365;
    let none = secs(0);
    time("cache.ttl", MILLI..=year, |time| use_cache(new().ttl(time)));
    share("cache.jitter", 0.0..=0.5, |share| use_cache(new().jitter(share)));
    time("cache.stale_while_revalidate", none..=year, |time| use_cache(new().stale_while_revalidate(time)));
    time("cache.stale_if_error", none..=year, |time| use_cache(new().stale_if_error(time)));
    time("cache.negative_ttl", MILLI..=year, |time| use_cache(new().negative_ttl(time)));
    time("cache.refresh_timeout", MILLI..=DAY, |time| use_cache(new().refresh_timeout(time)));
    count("cache.max_refreshes", 1..=10_000, |n| use_cache(new().max_refreshes(n)));
    let most = [0, 1, 2, 100_000_000, 100_000_001, u64::MAX];
    check("cache.max_entries", 1..=100_000_000, &most, |n| use_cache(new().max_entries(n)));
    let most = u64::from(u32::MAX);
    check("cache.max_weight", 1..=most, &[0, 1, most, most + 1, u64::MAX], |n| {
        use_cache(new().max_weight(n, |_, _| u64::MAX))
    });
    check("cache.seed", 0..=u64::MAX, &[0, u64::MAX], |seed| use_cache(new().seed(seed)));
    check("cache.mode.enforce_percent", 0..=100, &[0, 1, 99, 100, 101, u8::MAX], |percent| {
        use_cache(new().mode(Mode::EnforcePercent(percent)))
    });
    for kinds in [&[][..], &FailureKind::ALL] {
        use_cache(new().stale_only(kinds.iter().copied())).unwrap();
    }
    let never = new().stale_if_error(secs(1)).stale_only([]).stale_on_refusal(false);
    assert_eq!(use_cache(never).unwrap_err().field(), "cache.stale_kinds");
    for preset in cache::Preset::ALL {
        use_cache(new().preset(preset)).unwrap();
    }
}

/// Times and weights that the program gives for single entries are taken, whatever they are.
#[tokio::test(start_paused = true)]
async fn t29_no_time_of_an_entry_is_too_long() {
    let cache =
        new().ttl_of(|_, _| Some(std::time::Duration::MAX)).registry(&Registry::new()).build().unwrap();
    cache.insert(1, 1);
    cache.insert_for(2, 2, std::time::Duration::MAX);
    assert_eq!((cache.get(&1), cache.get(&2)), (Some(1), Some(2)));
}
