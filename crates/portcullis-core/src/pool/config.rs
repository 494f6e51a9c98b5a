//! What a pool of threads can be told.

use std::time::Duration;

use crate::{ConfigError, Mode, bulkhead, check_range};

/// The most threads a pool can have. Each takes a stack, and a share of the scheduler's time.
pub const MAX_THREADS: u32 = 10_000;
/// The most calls that can wait for a thread.
pub const MAX_QUEUED: u32 = bulkhead::MAX_PERMITS;
/// What Hystrix gave a dependency: enough for 100 calls a second that take 100 ms each.
pub const DEFAULT_THREADS: u32 = 10;
/// No queue, as a bulkhead has none: a call that cannot run now is refused now.
pub const DEFAULT_MAX_QUEUED: u32 = 0;
/// When a queue is asked for, its calls wait no longer than a person would.
pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(1);
/// A thread without work is worth keeping until the next burst, and no longer.
pub const DEFAULT_KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The rules of a pool of threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Threads there may be, and so calls that run at a time (default 10); 1 to 10,000. They are started when
    /// they are needed.
    pub threads: u32,
    /// Calls that may wait for a thread (default 0); 0 to 1,000,000. With 0 a call is refused at once.
    pub max_queued: u32,
    /// How long a call may wait (default 1 s); 1 ms to 1 h. Who waits already keeps what it was.
    pub max_wait: Duration,
    /// Who came last is next, and not who has waited longest (default `false`). In an overload the first in
    /// line has waited so long that its caller may have given up; the last has not.
    pub newest_first: bool,
    /// How long a thread without work is kept (default 10 s); 0 to 24 h.
    pub keep_alive: Duration,
    /// Whether calls are refused, or only counted (default: refused). When [disabled](Mode::Disabled), calls
    /// run where they would run without the pool.
    pub mode: Mode,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            threads: DEFAULT_THREADS,
            max_queued: DEFAULT_MAX_QUEUED,
            max_wait: DEFAULT_MAX_WAIT,
            newest_first: false,
            keep_alive: DEFAULT_KEEP_ALIVE,
            mode: Mode::Enforce,
        }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("thread_pool.threads", self.threads, 1..=MAX_THREADS)?;
        check_range("thread_pool.max_queued", self.max_queued, 0..=MAX_QUEUED)?;
        let hour = Duration::from_secs(3600);
        check_range("thread_pool.max_wait", self.max_wait, Duration::from_millis(1)..=hour)?;
        check_range("thread_pool.keep_alive", self.keep_alive, Duration::ZERO..=24 * hour)?;
        self.mode.check("thread_pool.mode.enforce_percent")
    }

    /// The rules of the semaphore that has a permit for each thread.
    pub fn permits(&self) -> bulkhead::Config {
        let order = if self.newest_first { bulkhead::Order::Lifo } else { bulkhead::Order::Fifo };
        bulkhead::Config {
            max_in_flight: self.threads,
            max_queued: self.max_queued,
            max_wait: self.max_wait,
            order,
            mode: self.mode,
            ..bulkhead::Config::default()
        }
    }
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_range() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert_eq!(Config::default().check(), Ok(()));
        assert_eq!(refused(|config| config.threads = 0), "thread_pool.threads is 0: allowed is 1 to 10000");
        assert!(
            refused(|config| config.threads = MAX_THREADS + 1).starts_with("thread_pool.threads is 10001")
        );
        assert!(refused(|config| config.max_queued = u32::MAX).starts_with("thread_pool.max_queued is"));
        assert_eq!(
            refused(|config| config.max_wait = Duration::ZERO),
            "thread_pool.max_wait is 0ns: allowed is 1ms to 3600s"
        );
        assert!(refused(|config| config.keep_alive = Duration::MAX).starts_with("thread_pool.keep_alive is"));
        assert_eq!(
            refused(|config| config.mode = Mode::EnforcePercent(101)),
            "thread_pool.mode.enforce_percent is 101: allowed is 0 to 100"
        );
    }

    #[test]
    fn what_a_pool_may_be_told_a_semaphore_takes() {
        let most = Config {
            threads: MAX_THREADS,
            max_queued: MAX_QUEUED,
            max_wait: Duration::from_secs(3600),
            newest_first: true,
            keep_alive: Duration::ZERO,
            mode: Mode::Shadow,
        };
        let least = Config { threads: 1, max_wait: Duration::from_millis(1), ..Config::default() };
        for config in [most, least] {
            assert_eq!((config.check(), config.permits().check()), (Ok(()), Ok(())));
        }
    }
}
