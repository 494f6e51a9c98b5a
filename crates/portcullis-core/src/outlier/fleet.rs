//! The shared machine.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    ConfigError, Failure, FailureKind, Mode, Name, Time, Verdict,
    sync::{
        Mutex, MutexGuard,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
        lock,
    },
};

use super::{
    Admitted, Cause, Change, Config, Endpoint, EndpointStatus, FleetStatus, MAX_WEIGHT, members::Members,
};

/// A fleet of endpoints, of which outliers are ejected. See [the module](super).
pub struct Fleet {
    /// What results are read by; see [`Rules`].
    rules: AtomicU64,
    /// When time does something next, in nanoseconds.
    due: AtomicU64,
    /// Grows with every change of who is there and who can be used.
    version: AtomicU64,
    panicking: AtomicBool,
    members: Mutex<Members>,
}

/// What a result is read by, in one word.
#[derive(Clone, Copy)]
struct Rules(u64);

impl Rules {
    const ENABLED: u64 = 1;
    const SPLIT: u64 = 2;

    fn new(config: &Config) -> Self {
        let enabled = u64::from(config.mode != Mode::Disabled) * Self::ENABLED;
        let split = u64::from(config.split_local) * Self::SPLIT;
        let ignored = config.ignored.iter().fold(0, |bits, kind| bits | 1u64 << *kind as u8);
        let limit = |failures: Option<u32>| u64::from(failures.unwrap_or(0));
        let limits = limit(config.consecutive) << 16 | limit(config.consecutive_local);
        Self(ignored << 48 | limits << 16 | enabled | split)
    }

    fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    fn ignores(self, kind: FailureKind) -> bool {
        self.0 >> 48 & 1 << kind as u8 != 0
    }

    fn consecutive(self) -> u32 {
        (self.0 >> 32 & 0xffff) as u32
    }

    fn consecutive_local(self) -> u32 {
        (self.0 >> 16 & 0xffff) as u32
    }
}

/// Whether the dependency did not answer: what came to nothing on the way, or in time.
fn is_local(failure: &Failure) -> bool {
    let kind = matches!(failure.kind, FailureKind::Connection | FailureKind::Network | FailureKind::Timeout);
    kind && failure.status.is_none()
}

impl Fleet {
    /// A fleet of nobody.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn new(config: Config, now: Time) -> Result<Self, ConfigError> {
        config.check()?;
        let rules = AtomicU64::new(Rules::new(&config).0);
        let members = Members::new(config, now);
        let due = AtomicU64::new(members.due().as_nanos());
        let (version, panicking) = (AtomicU64::new(0), AtomicBool::new(false));
        Ok(Self { rules, due, version, panicking, members: Mutex::new(members) })
    }

    /// Takes in an endpoint; a weight of 0 is 1, and one above [`MAX_WEIGHT`] is that.
    pub fn join(&self, name: Name, weight: u32, now: Time) -> Arc<Endpoint> {
        self.change(|members| members.join(name, weight.clamp(1, MAX_WEIGHT), now))
    }

    /// Gives an endpoint another weight.
    pub fn reweigh(&self, endpoint: &Endpoint, weight: u32) {
        self.change(|members| {
            endpoint.reweigh(weight.clamp(1, MAX_WEIGHT));
            members.version += 1;
        });
    }

    /// Lets an endpoint go. Others may return by that, since fewer may be ejected then. Results that are still
    /// to come change nothing.
    pub fn leave(&self, endpoint: &Arc<Endpoint>, now: Time) -> Vec<Change> {
        self.change(|members| members.leave(endpoint, now))
    }

    /// Tells how a call ended. `now` is asked only when that ejects the endpoint, and so is `lot`, for a number
    /// of 0 to 1.
    #[inline]
    pub fn record(
        &self,
        endpoint: &Arc<Endpoint>,
        admitted: Admitted,
        verdict: &Verdict,
        now: impl FnOnce() -> Time,
        lot: impl FnMut() -> f64,
    ) -> Option<Change> {
        let rules = Rules(self.rules.load(Relaxed));
        if !rules.has(Rules::ENABLED) {
            return None;
        }
        let cause = match verdict {
            Verdict::Success => {
                endpoint.answers.success(admitted.0);
                if rules.has(Rules::SPLIT) {
                    endpoint.local.success(admitted.0);
                }
                return None;
            }
            Verdict::Failure(failure) => count(endpoint, admitted, failure, rules)?,
            Verdict::Ignored => return None,
        };
        self.eject_for(endpoint, admitted, cause, now(), lot)
    }

    /// The failure was the last of a run.
    #[cold]
    #[inline(never)]
    fn eject_for(
        &self,
        endpoint: &Arc<Endpoint>,
        admitted: Admitted,
        cause: Cause,
        now: Time,
        mut lot: impl FnMut() -> f64,
    ) -> Option<Change> {
        self.change(|members| {
            let at = members.find(endpoint)?;
            // It may have been ejected, and even have returned, since the run was seen.
            let is_same = endpoint.answers.generation() == admitted.0;
            if is_same { members.eject(at, cause, None, now, &mut lot) } else { None }
        })
    }

    /// Ejects an endpoint for a time, if it is not and there is room.
    pub fn eject(&self, endpoint: &Arc<Endpoint>, time: Duration, now: Time) -> Option<Change> {
        self.change(|members| {
            let at = members.find(endpoint)?;
            members.eject(at, Cause::ByHand, Some(time), now, &mut || 0.0)
        })
    }

    /// Goes on where an endpoint of another fleet was: ejected for the time that is left, if there is any, and so many
    /// times before. Of one that is or was ejected here, nothing changes.
    pub fn resume(
        &self,
        endpoint: &Arc<Endpoint>,
        times: u32,
        left: Option<Duration>,
        now: Time,
    ) -> Option<Change> {
        self.change(|members| {
            let at = members.find(endpoint)?;
            members.resume(at, times, left, now)
        })
    }

    /// Ends an endpoint's ejection.
    pub fn restore(&self, endpoint: &Arc<Endpoint>, now: Time) -> Option<Change> {
        self.change(|members| {
            let at = members.find(endpoint)?;
            members.restore(at, now, now)
        })
    }

    /// Ends all ejections.
    pub fn restore_all(&self, now: Time) -> Vec<Change> {
        self.change(|members| members.restore_all(now))
    }

    /// When [`sweep`](Self::sweep) has something to do next.
    #[inline]
    pub fn due(&self) -> Time {
        Time::from_nanos(self.due.load(Acquire))
    }

    /// Ends the interval, and ejections, if their time is over.
    pub fn sweep(&self, now: Time, lot: impl FnMut() -> f64) -> Vec<Change> {
        if now < self.due() {
            return Vec::new();
        }
        self.change(|members| members.sweep(now, lot))
    }

    /// Grows with every change of who is there, who can be used, and what the settings are.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version.load(Acquire)
    }

    /// Whether so few endpoints can be used that all are.
    #[inline]
    pub fn is_panicking(&self) -> bool {
        self.panicking.load(Acquire)
    }

    /// The settings.
    pub fn config(&self) -> Config {
        lock(&self.members).config.clone()
    }

    /// Changes the settings. What was counted stays; a new interval begins. Who is ejected stays so for the time
    /// that was said, unless fewer may be ejected now, or the mode is [another](Mode) than before.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn update(
        &self,
        change: impl FnOnce(&Config) -> Config,
        now: Time,
    ) -> Result<Vec<Change>, ConfigError> {
        let mut members = lock(&self.members);
        let config = change(&members.config);
        config.check()?;
        let changes = if config.mode == members.config.mode { Vec::new() } else { members.restore_all(now) };
        self.rules.store(Rules::new(&config).0, Relaxed);
        members.config = config;
        members.restart(now);
        let more = members.hold_share(now);
        self.publish(members);
        Ok(changes.into_iter().chain(more).collect())
    }

    /// The fleet in numbers.
    pub fn status(&self) -> FleetStatus {
        let members = lock(&self.members);
        let interval = |count: fn(&Endpoint) -> u32| {
            members.all.iter().map(|member| u64::from(count(&member.endpoint))).sum::<u64>()
        };
        FleetStatus {
            endpoints: members.all.len(),
            ejected: members.unusable(),
            panicking: members.is_panicking(),
            successes: members.successes + interval(|endpoint| endpoint.answers.interval().successes),
            failures: members.failures + interval(|endpoint| endpoint.answers.interval().failures),
            ejections: members.ejections[0],
            told: members.ejections[1],
            held_back: members.held_back,
            mode: members.config.mode,
        }
    }

    /// The endpoints of this name: one, unless several sets have it.
    pub fn named(&self, name: &str) -> Vec<Arc<Endpoint>> {
        let members = lock(&self.members);
        let endpoints = members.all.iter().map(|member| &member.endpoint);
        endpoints.filter(|endpoint| &**endpoint.name() == name).cloned().collect()
    }

    /// Each endpoint in numbers, in the order in which they joined.
    pub fn endpoints(&self, now: Time) -> Vec<EndpointStatus> {
        lock(&self.members).statuses(now)
    }

    fn change<R>(&self, change: impl FnOnce(&mut Members) -> R) -> R {
        let mut members = lock(&self.members);
        let result = change(&mut members);
        self.publish(members);
        result
    }

    /// Shows what the lock guards to those who do not take it. The version comes last: who sees it sees the
    /// rest.
    fn publish(&self, members: MutexGuard<'_, Members>) {
        self.due.store(members.due().as_nanos(), Release);
        self.panicking.store(members.is_panicking(), Release);
        self.version.store(members.version, Release);
    }
}

/// Counts a failure; the cause, if it was the last of a run.
fn count(endpoint: &Endpoint, admitted: Admitted, failure: &Failure, rules: Rules) -> Option<Cause> {
    if rules.ignores(failure.kind) {
        return None;
    }
    if !rules.has(Rules::SPLIT) {
        let limit = rules.consecutive();
        return endpoint.answers.failure(admitted.0, limit).then_some(Cause::Consecutive(limit));
    }
    if is_local(failure) {
        let limit = rules.consecutive_local();
        return endpoint.local.failure(admitted.0, limit).then_some(Cause::ConsecutiveLocal(limit));
    }
    endpoint.local.success(admitted.0);
    let limit = rules.consecutive();
    endpoint.answers.failure(admitted.0, limit).then_some(Cause::Consecutive(limit))
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("status", &self.status()).finish_non_exhaustive()
    }
}
