//! Every setting of a pool of threads.

use std::time::Duration;

use portcullis::{
    ConfigError, Mode, Registry, Rejection, ThreadPool,
    pool::{self, ThreadPoolBuilder},
};

use super::{DAY, HOUR, MILLI, check, count, time};

/// Builds it, and takes a thread.
fn use_pool(builder: ThreadPoolBuilder) -> Result<(), ConfigError> {
    let pool = builder.registry(&Registry::new()).build()?;
    assert!(pool.try_admit().is_ok() && !format!("{pool:?}").is_empty());
    Ok(())
}

fn new() -> ThreadPoolBuilder {
    ThreadPool::builder("t29")
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_pool_of_threads() {
    // A setting that is added does not compile here until it is tested below.
    let pool::Config { threads: _, max_queued: _, max_wait: _, newest_first: _, keep_alive: _, mode: _ } =
        pool::Config::default();

    count("thread_pool.threads", 1..=10_000, |n| use_pool(new().threads(n)));
    count("thread_pool.max_queued", 0..=1_000_000, |n| use_pool(new().max_queued(n)));
    time("thread_pool.max_wait", MILLI..=HOUR, |time| use_pool(new().max_wait(time)));
    time("thread_pool.keep_alive", Duration::ZERO..=DAY, |time| use_pool(new().keep_alive(time)));
    check("thread_pool.newest_first", false..=true, &[false, true], |yes| use_pool(new().newest_first(yes)));
    check("thread_pool.mode.enforce_percent", 0..=100, &[0, 1, 99, 100, 101, u8::MAX], |percent| {
        use_pool(new().mode(Mode::EnforcePercent(percent)))
    });
    check("thread_pool.seed", 0..=u64::MAX, &[0, u64::MAX], |seed| use_pool(new().seed(seed)));
    for preset in pool::Preset::ALL {
        use_pool(new().preset(preset)).unwrap();
    }
    use_pool(new().config(pool::Config { threads: 0, ..Default::default() })).unwrap_err();
}

/// The ends of the ranges, at work.
#[tokio::test]
async fn t29_the_ends_of_a_pools_ranges_work() {
    let most = new().threads(10_000).keep_alive(DAY).max_queued(1_000_000);
    for pool in [new().threads(1).keep_alive(Duration::ZERO), most] {
        let pool = pool.registry(&Registry::new()).build().unwrap();
        for n in 0..3 {
            assert_eq!(pool.run(move || Ok::<_, Rejection>(n)).await.unwrap(), n);
        }
    }
}
