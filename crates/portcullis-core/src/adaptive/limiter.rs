//! The shared machine.

use std::{fmt, sync::TryLockError, time::Duration};

use super::{
    Change, Config, Sample, Status,
    brain::{Brain, Closed},
    sample,
    samples::{LATENCIES, Samples},
    word::Word,
};
use crate::{
    ConfigError, Mode, Padded, Time, Verdict,
    quantile::buckets,
    sync::{
        Mutex,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
        lock,
    },
    time::nanos,
};

/// A call that was given up hangs if it took so many times what is usual, where no ceiling says so.
const HUNG: f64 = 10.0;
/// A window that has too few calls at its end is looked at again after this part of it.
const LOOK_AGAIN: u32 = 4;
/// A time that never comes.
const NEVER: u64 = u64::MAX;

/// A limit on the calls in flight that finds itself, shared by all threads.
pub struct Limiter {
    /// Alone on its lines, because each call writes it.
    word: Padded<Word>,
    /// On lines that are seldom written.
    rules: Padded<Rules>,
    samples: Samples<LATENCIES>,
    brain: Mutex<Box<Brain>>,
}

/// What a call looks at when it is over. Times in nanoseconds.
struct Rules {
    /// The end of the window.
    due: AtomicU64,
    /// Latencies of calls that end before this do not count: they met another limit.
    counting_from: AtomicU64,
    /// Congestion of calls that began before this has had its consequences.
    lowered: AtomicU64,
    /// The longest latency that is no congestion.
    ceiling: AtomicU64,
    /// The same for a call that was given up.
    hung: AtomicU64,
    /// The kinds of failure that are congestion, a bit for each.
    congestion: AtomicU64,
    mode: AtomicU64,
}

/// The number of a mode, by which it is kept: a percentage, or one of these.
const SHADOW: u64 = 101;
const DISABLED: u64 = 102;
const ENFORCE: u64 = 103;

impl Limiter {
    /// A limiter in which nothing is in flight, whose samples are collected by so many shards (1 to 1024, rounded up to
    /// a power of two).
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range.
    pub fn new(config: Config, shards: usize) -> Result<Self, ConfigError> {
        config.check()?;
        let limiter = Self {
            word: Padded(Word::new(0)),
            rules: Padded(Rules::new()),
            samples: Samples::new(shards),
            brain: Mutex::new(Box::new(Brain::new(config))),
        };
        limiter.publish(&lock(&limiter.brain));
        Ok(limiter)
    }

    /// Takes a place if there is one. Says how many calls are in flight with this one; 0 when the limit is
    /// [disabled](Mode::Disabled), and nothing was taken.
    #[inline]
    pub fn try_acquire(&self) -> Option<u32> {
        match self.word.try_acquire() {
            Some(in_flight) => Some(in_flight),
            None => self.full(),
        }
    }

    /// Disabled, it seems to have no place at all, so that nobody else has to ask.
    #[cold]
    #[inline(never)]
    fn full(&self) -> Option<u32> {
        // By the word and not by the mode, which is another one: the two change one after the other, and a call between
        // them would be refused by a limit of nothing.
        match self.word.load() {
            (0, _) => Some(0),
            // It may have been disabled when the call came.
            _ => self.word.try_acquire(),
        }
    }

    /// Takes a place whether there is one or not, for a call that passes though it should be refused. Says how many calls
    /// are in flight with this one; 0 when disabled.
    pub fn force(&self) -> u32 {
        if self.mode() == Mode::Disabled { 0 } else { self.word.force() }
    }

    /// Whether a call would be refused now.
    #[inline]
    pub fn is_full(&self) -> bool {
        let (limit, in_flight) = self.word.load();
        in_flight >= limit && matches!(self.mode(), Mode::Enforce)
    }

    /// A call is over: [`observe`](Self::observe) and [`release_permit`](Self::release_permit) in one.
    pub fn release(
        &self,
        shard: usize,
        started: Time,
        in_flight: u32,
        sample: Sample,
        now: Time,
    ) -> Option<Change> {
        self.release_permit(in_flight);
        self.observe(shard, started, in_flight, sample, now)
    }

    /// Gives the place back that a call took, of which `in_flight` is what it was told then.
    #[inline]
    pub fn release_permit(&self, in_flight: u32) {
        if in_flight > 0 {
            self.word.release();
        }
    }

    /// What a call that was judged so is to the limit: its failure is congestion if its kind is among those that
    /// [`congestion`](Config::congestion) names.
    pub fn judge(&self, verdict: &Verdict) -> Sample {
        match verdict {
            Verdict::Success => Sample::Success,
            Verdict::Ignored => Sample::Ignored,
            Verdict::Failure(failure) => sample::of(failure.kind, self.rules.congestion.load(Relaxed)),
        }
    }

    /// A call ended at `now` that had begun at `started`, when so many were in flight. `shard` is a number of the
    /// calling thread's own. Says if the limit was changed by it.
    ///
    /// Nobody waits here: who finds the end of a window while somebody else is at it goes on.
    #[inline]
    pub fn observe(
        &self,
        shard: usize,
        started: Time,
        in_flight: u32,
        sample: Sample,
        now: Time,
    ) -> Option<Change> {
        let rules = &*self.rules;
        let took = now.as_nanos().saturating_sub(started.as_nanos());
        if in_flight == 0 {
            return None;
        }
        if sample == Sample::Success && took <= rules.ceiling.load(Relaxed) {
            if now.as_nanos() >= rules.counting_from.load(Relaxed) {
                self.samples.count(shard, buckets::of_nanos(took), in_flight);
            }
        } else {
            self.observe_other(shard, started, in_flight, sample, took);
        }
        if now.as_nanos() >= rules.due.load(Relaxed) { self.close(now) } else { None }
    }

    #[cold]
    #[inline(never)]
    fn observe_other(&self, shard: usize, started: Time, in_flight: u32, sample: Sample, took: u64) {
        let beyond = |longest: &AtomicU64| took > longest.load(Relaxed);
        let is_congestion = match sample {
            Sample::Congested => true,
            Sample::Success | Sample::Failed => beyond(&self.rules.ceiling),
            Sample::Abandoned => beyond(&self.rules.hung),
            Sample::Ignored => false,
        };
        if is_congestion && started.as_nanos() >= self.rules.lowered.load(Relaxed) {
            self.samples.count_congested(shard, in_flight);
        }
    }

    /// Ends the window, unless somebody else does.
    #[cold]
    #[inline(never)]
    fn close(&self, now: Time) -> Option<Change> {
        let mut brain = match self.brain.try_lock() {
            Ok(brain) => brain,
            // As good as before: a decision is plain arithmetic.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        // It may have been done between the look and the lock.
        if now.as_nanos() < self.rules.due.load(Acquire) {
            return None;
        }
        let (from, in_flight) = (brain.limit(), self.in_flight());
        self.samples.collect(brain.pending());
        match brain.close(in_flight, now) {
            Closed::TooFew => {
                self.rules.due.store((now + brain.config.window / LOOK_AGAIN).as_nanos(), Release);
                None
            }
            Closed::Over { counting_from, lowered } => {
                self.rules.begin(counting_from, lowered, now, brain.config.window);
                self.publish(&brain);
                let to = brain.limit();
                (from != to).then_some(Change { from, to })
            }
        }
    }

    /// Lets all calls see what was decided.
    fn publish(&self, brain: &Brain) {
        let Rules { ceiling, hung, congestion, mode, .. } = &*self.rules;
        let longest = brain.config.ceiling.map(nanos);
        ceiling.store(longest.unwrap_or(NEVER), Relaxed);
        let usual = brain.usual();
        let unknown = if usual > 0.0 { (HUNG * usual) as u64 } else { NEVER };
        hung.store(longest.unwrap_or(unknown), Relaxed);
        congestion.store(sample::bits(&brain.config.congestion), Relaxed);
        mode.store(number_of(brain.config.mode), Relaxed);
        let is_disabled = brain.config.mode == Mode::Disabled;
        self.word.set_limit(if is_disabled { 0 } else { brain.limit() });
    }

    /// Takes other settings while calls flow. What was learned stays, unless the algorithm is another one; the limit
    /// moves only where it is outside the new bounds. Says if it did.
    ///
    /// # Errors
    ///
    /// The first field outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<Option<Change>, ConfigError> {
        self.update(|_| config)
    }

    /// The same with settings that are made of those there are; nobody else changes them meanwhile.
    ///
    /// # Errors
    ///
    /// As [`reconfigure`](Self::reconfigure).
    pub fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<Option<Change>, ConfigError> {
        let mut brain = lock(&self.brain);
        let config = change(&brain.config);
        config.check()?;
        let from = brain.limit();
        if config.window != brain.config.window {
            // The next call looks, and goes on by the new one: the old one may be long.
            self.rules.due.store(0, Release);
        }
        brain.reconfigure(config);
        self.publish(&brain);
        let to = brain.limit();
        Ok((from != to).then_some(Change { from, to }))
    }

    /// What outlives the process: the limit, and how long a call takes that waits for no other, if that is known.
    pub fn memory(&self) -> (f64, Option<Duration>) {
        lock(&self.brain).memory()
    }

    /// Goes on with what another limiter found, within the bounds of this one. Says if the limit has moved.
    pub fn resume(&self, limit: f64, baseline: Option<Duration>) -> Option<Change> {
        let mut brain = lock(&self.brain);
        let from = brain.limit();
        brain.resume(limit, baseline);
        self.publish(&brain);
        let to = brain.limit();
        (from != to).then_some(Change { from, to })
    }

    /// The settings.
    pub fn config(&self) -> Config {
        lock(&self.brain).config.clone()
    }

    /// Whether calls are refused, or only counted.
    pub fn mode(&self) -> Mode {
        mode_of(self.rules.mode.load(Relaxed))
    }

    /// The limit; while it is disabled, that which there would be.
    pub fn limit(&self) -> u32 {
        match self.word.load().0 {
            0 => lock(&self.brain).limit(),
            limit => limit,
        }
    }

    /// Calls in flight.
    pub fn in_flight(&self) -> u32 {
        self.word.load().1
    }

    /// Everything there is to see.
    pub fn status(&self) -> Status {
        let status = lock(&self.brain).status();
        Status { in_flight: self.in_flight(), ..status }
    }

    /// Bytes on the heap, but for what the algorithm remembers.
    pub fn heap_bytes(&self) -> usize {
        self.samples.heap_bytes() + size_of::<Brain>()
    }
}

impl Rules {
    fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            due: zero(),
            counting_from: zero(),
            lowered: zero(),
            ceiling: zero(),
            hung: zero(),
            congestion: zero(),
            mode: zero(),
        }
    }

    /// The next window begins.
    fn begin(&self, counting_from: Time, lowered: bool, now: Time, window: Duration) {
        if lowered {
            self.lowered.store(now.as_nanos(), Relaxed);
        }
        self.counting_from.store(counting_from.as_nanos(), Relaxed);
        self.due.store((counting_from + window).as_nanos(), Release);
    }
}

fn number_of(mode: Mode) -> u64 {
    match mode {
        Mode::EnforcePercent(percent) => percent.into(),
        Mode::Shadow => SHADOW,
        Mode::Disabled => DISABLED,
        Mode::Enforce => ENFORCE,
    }
}

fn mode_of(number: u64) -> Mode {
    match number {
        SHADOW => Mode::Shadow,
        DISABLED => Mode::Disabled,
        ENFORCE => Mode::Enforce,
        percent => Mode::EnforcePercent(percent as u8),
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("status", &self.status()).finish_non_exhaustive()
    }
}
