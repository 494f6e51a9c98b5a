//! What policies hold in memory, in bytes.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use portcullis::{Breaker, BreakerLayer, KeyedBreaker, Ticket, Verdict};
use portcullis_benches::inner::{Failed, immediate};
use portcullis_core::breaker::{Config, Machine, Settings, TimeRule};
use portcullis_core::{Failure, FailureKind, Time};
use tower::{Layer, Service};

/// The keys of a breaker by key.
const KEYS: u64 = 1_000_000;
/// Calls that fill a window of the last calls, and one of the last minute.
const FEW_CALLS: u64 = 1_000;
const MANY_CALLS: u64 = 40_000;
/// More than half, so that none of it opens.
const RATIO: f64 = 0.6;
const MINUTE: Duration = Duration::from_secs(60);

/// Prints a name and a number of bytes for each thing that is measured.
pub(crate) fn print() -> Result<()> {
    println!("closed {}", breaker(Config::default(), FEW_CALLS, false)?);
    println!("half-failing {}", breaker(Config::default(), FEW_CALLS, true)?);
    let rule = TimeRule { span: MINUTE, failure_ratio: RATIO, ..TimeRule::default() };
    let config = Config {
        window: 1,
        minimum_calls: 1,
        failure_ratio: None,
        time_window: Some(rule),
        ..Config::default()
    };
    println!("minute {}", breaker(config, MANY_CALLS, true)?);
    println!("future {}", future()?);
    println!("key {}", key()?);
    Ok(())
}

/// What is held by what `make` makes.
fn held<T>(make: impl FnOnce() -> Result<T>) -> Result<u64> {
    let mut made = None;
    let counted = allocation_counter::measure(|| made = Some(make()));
    made.context("it was made")??;
    Ok(u64::try_from(counted.bytes_current)?)
}

/// A breaker without shards, with settings that it shares with others, after `calls` calls in a minute.
fn breaker(config: Config, calls: u64, half_failing: bool) -> Result<u64> {
    let config = Config { failure_ratio: config.failure_ratio.map(|_| RATIO), ..config };
    let settings = Arc::new(Settings::new(config)?);
    held(|| {
        let machine = Box::new(Machine::small(settings));
        let now = Cell::new(Time::ORIGIN);
        let clock = || now.get();
        for call in 0..calls {
            now.set(Time::ORIGIN + MINUTE.mul_f64(call as f64 / calls as f64));
            let admission = machine.admit(0, &clock).ok().context("it must not open")?;
            let failed = half_failing && call % 2 == 1;
            let verdict = if failed { Failure::new(FailureKind::Other).into() } else { Verdict::Success };
            machine.settle(0, admission, verdict.into(), &clock);
        }
        Ok(machine)
    })
}

/// The response future of a breaker's service, beyond the inner one.
fn future() -> Result<u64> {
    let mut inner = immediate::<Failed>();
    let inner_future = inner.call(0);
    let mut service = BreakerLayer::new(Breaker::builder("bench").build()?).layer(inner);
    let around = size_of_val(&service.call(0)) - size_of_val(&inner_future);
    Ok(u64::try_from(around)?)
}

/// One of a million keys, each a text of 16 bytes, after one call of each.
fn key() -> Result<u64> {
    let breaker = KeyedBreaker::builder("bench").max_keys(KEYS as usize).build()?;
    let bytes = held(|| {
        for key in 0..KEYS {
            let mut ticket = breaker.try_admit(format!("host-{key:011}").as_str())?;
            ticket.settle(Verdict::Success);
        }
        Ok(())
    })?;
    ensure!(breaker.len() as u64 == KEYS, "{} of {KEYS} keys are kept", breaker.len());
    Ok(bytes.div_ceil(KEYS))
}
