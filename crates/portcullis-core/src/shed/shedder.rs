//! The machine of load shedding.

use std::time::Duration;

use super::{
    Arrival, Config, Pressure, PressureSource, Refused,
    arrivals::Arrivals,
    cause::Cause,
    gate::{Full, Gate, UNLIMITED},
    level::{LEVELS, Rank},
    state::State,
    watch::{Interval, Watch},
};
use crate::{
    ConfigError, Mode, Overload, Priority, Time,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
        lock,
    },
    time::nanos,
};

/// How much of the smoothed pressure is what it was before, each time that it is looked at.
const PRESSURE_KEPT: f64 = 0.7;
/// A look that is due for so long, in nanoseconds, is late: it is as long as clocks are inexact.
const LATE: u64 = 10_000_000;
/// No wait was told; no look is due.
const NONE: u64 = u64::MAX;

/// Admits calls, or refuses them because of what is in flight, how long calls wait, and how busy the machine
/// is. Admitting and refusing take no lock.
///
/// Who measures tells it by [`sample`](Self::sample) and [`pressure`](Self::pressure); without them there is
/// only what is in flight.
#[derive(Debug)]
pub struct Shedder {
    gate: Gate,
    arrivals: Arrivals,
    /// The shortest wait that a call told in this interval, in nanoseconds.
    told: AtomicU64,
    /// When the next look is due, in nanoseconds; [`NONE`] while nobody looks.
    due: AtomicU64,
    /// Before this time, in nanoseconds, no call looks in place of who is late.
    looked: AtomicU64,
    /// The last overload; see [`Cause`].
    cause: AtomicU64,
    /// What of the rules is looked at without the lock; written under it.
    mode: AtomicU8,
    /// In nanoseconds; 0 for none.
    retry_after: AtomicU64,
    state: Mutex<State>,
}

/// An overload began, or is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Whether it began.
    pub overloaded: bool,
    /// By what it was seen.
    pub cause: Refused,
}

/// Load shedding at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// Calls that are in flight.
    pub in_flight: u32,
    /// How many calls of each class find in flight at most; `None` when there is no limit.
    pub limits: Option<[u32; Priority::COUNT]>,
    /// The share of the calls that is refused.
    pub cut: f64,
    /// The lowest level that is admitted, 0 to 500: a hundred for each class. 0 admits all.
    pub level: u32,
    /// The shortest wait of the last interval; `None` before there was one.
    pub delay: Option<Duration>,
    /// The smoothed pressure; `None` while it is not known.
    pub pressure: Option<f64>,
    /// The signal that lets calls be refused now, if there is one. Calls in flight are none of these.
    pub overload: Option<Refused>,
}

impl Shedder {
    /// Nothing in flight, and no overload.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let shedder = Self {
            gate: Gate::new(config.limits()),
            arrivals: Arrivals::new(LEVELS),
            told: AtomicU64::new(NONE),
            due: AtomicU64::new(NONE),
            looked: AtomicU64::new(0),
            cause: AtomicU64::new(0),
            mode: AtomicU8::new(0),
            retry_after: AtomicU64::new(0),
            state: Mutex::new(State::new(config)),
        };
        shedder.apply(&lock(&shedder.state));
        Ok(shedder)
    }

    /// Lets a call in, if nothing is watched and there is room for it: the short way of
    /// [`admit`](Self::admit).
    #[inline(always)]
    pub fn admit_calm(&self, priority: Priority) -> bool {
        self.gate.threshold().is_none() && self.gate.enter(priority).is_ok()
    }

    /// Lets a call in, or says why not; `draw` are 64 random bits. Whoever is let in must
    /// [leave](Self::leave).
    ///
    /// # Errors
    ///
    /// What is over its limit.
    pub fn admit(&self, arrival: &Arrival, draw: u64) -> Result<(), Refused> {
        if let Some(threshold) = self.gate.threshold() {
            let rank = Rank::of(arrival.priority, arrival.user, draw);
            self.arrivals.count(rank);
            if rank < threshold {
                return Err(self.below(rank, threshold));
            }
        }
        self.gate.enter(arrival.priority).map_err(|Full { in_flight, limit }| Refused {
            signal: Overload::InFlight,
            measured: in_flight.into(),
            limit: limit.into(),
        })
    }

    /// Lets a call in whatever there is.
    pub fn force(&self) {
        self.gate.force();
    }

    /// A call that was let in is over.
    #[inline(always)]
    pub fn leave(&self) {
        self.gate.leave();
    }

    /// A call says how long it has waited before it came.
    #[inline]
    pub fn told(&self, waited: Duration) {
        let waited = nanos(waited).min(NONE - 1);
        // Read first: most calls waited longer than the shortest, and then nothing is written.
        if waited < self.told.load(Relaxed) {
            self.told.fetch_min(waited, Relaxed);
        }
    }

    /// Whether the user of a call makes a difference now.
    #[inline]
    pub fn is_watching(&self) -> bool {
        self.gate.threshold().is_some()
    }

    /// Whether any call that came now would find too many in flight.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.gate.in_flight() >= self.gate.limit(Priority::Highest)
    }

    /// In how long the share that is refused is set anew.
    pub fn interval(&self) -> Duration {
        lock(&self.state).config.interval()
    }

    /// What says how busy the machine is, if it is to be looked at.
    pub fn pressure_source(&self) -> Option<PressureSource> {
        lock(&self.state).config.pressure.as_ref().map(|pressure| pressure.source.clone())
    }

    /// Whether anything wants to be measured.
    pub fn wants_samples(&self) -> bool {
        lock(&self.state).config.watches()
    }

    /// A look at how long work waits now, if that could be seen; several in each interval, with or without.
    /// Returns an overload that begins or ends with it.
    pub fn sample(&self, waited: Option<Duration>, now: Time) -> Option<Change> {
        self.see(now, |watch, length| watch.see(waited, now, length))
    }

    /// Takes what was seen; the rest is done once in an interval.
    fn see(&self, now: Time, see: impl FnOnce(&mut Watch, Duration) -> Option<Interval>) -> Option<Change> {
        let mut state = lock(&self.state);
        let length = state.config.interval();
        let over = see(&mut state.watch, length)?;
        let told = match self.told.swap(NONE, Relaxed) {
            NONE => None,
            told => Some(Duration::from_nanos(told)),
        };
        state.delay = told.max(over.shortest);
        state.memory.add(&self.arrivals);
        let lasted = over.lasted.as_secs_f64() / length.as_secs_f64();
        let cause = state.step(lasted, now);
        self.close(&mut state, cause)
    }

    /// Says when [`sample`](Self::sample) is called next, if all goes well. Calls see by it that work waits, when
    /// that look itself does.
    pub fn expect(&self, due: Time) {
        let watched = lock(&self.state).config.queue_delay.is_some();
        self.due.store(if watched { due.as_nanos() } else { NONE }, Relaxed);
    }

    /// Whether a call should [say](Self::look) what time it is.
    #[inline(always)]
    pub fn wants_looks(&self) -> bool {
        self.due.load(Relaxed) != NONE
    }

    /// A call is here. If a look is due for longer than work should wait, it looks in place of who is late.
    #[inline(always)]
    pub fn look(&self, now: Time) -> Option<Change> {
        let late = now.as_nanos().checked_sub(self.due.load(Relaxed))?;
        if late < LATE { None } else { self.look_late(late, now) }
    }

    #[cold]
    #[inline(never)]
    fn look_late(&self, late: u64, now: Time) -> Option<Change> {
        let (looked, at) = (self.looked.load(Relaxed), now.as_nanos());
        let first = at >= looked
            && self.looked.compare_exchange(looked, at.saturating_add(LATE), Relaxed, Relaxed).is_ok();
        let waiting = Duration::from_nanos(late);
        if first { self.see(now, |watch, length| watch.see_waiting(waiting, now, length)) } else { None }
    }

    /// A look at the pressure, from 0 to 1; `None` when it is not known, and then nothing is refused by it.
    pub fn pressure(&self, share: Option<f64>, now: Time) {
        let mut state = lock(&self.state);
        let known = share.filter(|share| share.is_finite()).map(|share| share.clamp(0.0, 1.0));
        state.pressure = match (state.pressure, known) {
            (Some(before), Some(share)) => Some(PRESSURE_KEPT.mul_add(before - share, share)),
            (_, share) => share,
        };
        if let (Some(share), Some(Pressure { limit, cooling, .. })) = (state.pressure, &state.config.pressure)
        {
            if share > *limit {
                state.hot_until = Some(now + *cooling);
                state.pressed = true;
            }
        }
    }

    /// Nobody measures any more: what was measured is nothing to go by. Returns an overload that ends with it.
    pub fn rest(&self) -> Option<Change> {
        let mut state = lock(&self.state);
        let was = std::mem::take(&mut state.overloaded);
        let config = state.config.clone();
        *state = State::new(config);
        self.due.store(NONE, Relaxed);
        self.gate.set_threshold(None);
        was.then(|| Change { overloaded: false, cause: self.cause() })
    }

    /// The settings.
    pub fn config(&self) -> Config {
        lock(&self.state).config.clone()
    }

    /// Changes the settings. What is in flight stays so, and what was measured is kept.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        // Declared before the lock is taken, so that it is dropped after it: it may hold a function, whose drop may do
        // anything.
        let mut config;
        let mut state = lock(&self.state);
        config = change(&state.config);
        config.check()?;
        if config.pressure.as_ref().map(|p| &p.source) != state.config.pressure.as_ref().map(|p| &p.source) {
            (state.pressure, state.pressed, state.hot_until) = (None, false, None);
        }
        if config.queue_delay.is_none() {
            state.delay = None;
        }
        std::mem::swap(&mut state.config, &mut config);
        self.apply(&state);
        Ok(())
    }

    /// Whether calls are refused, or only counted.
    pub fn mode(&self) -> Mode {
        mode_of(self.mode.load(Relaxed))
    }

    /// When who is refused is told to come again, by 64 random bits: between half of the time that is
    /// configured and all of it.
    pub fn retry_after(&self, draw: u64) -> Option<Duration> {
        let most = self.retry_after.load(Relaxed);
        let less = (u128::from(most / 2) * u128::from(draw)) >> 64;
        (most > 0).then(|| Duration::from_nanos(most - less as u64))
    }

    /// Everything there is to see.
    pub fn status(&self) -> Status {
        let state = lock(&self.state);
        let limits = Priority::ALL.map(|class| self.gate.limit(class));
        Status {
            in_flight: self.gate.in_flight(),
            limits: (limits[0] != UNLIMITED).then_some(limits),
            cut: state.cut(),
            level: self.gate.threshold().map_or(0, Rank::level),
            delay: state.delay,
            pressure: state.pressure,
            overload: state.overloaded.then(|| self.cause()),
        }
    }

    /// Ends an interval: sets the threshold, and says what changed.
    fn close(&self, state: &mut MutexGuard<'_, State>, cause: Option<Refused>) -> Option<Change> {
        let overloaded = cause.is_some() || state.control.cut() > 0.0;
        let changed = overloaded != state.overloaded;
        state.overloaded = overloaded;
        let cause = cause.unwrap_or_else(|| self.cause());
        // Where more is refused by hand, no signal is the reason.
        let by_hand = state.config.cut >= state.control.cut();
        self.cause.store(if by_hand { 0 } else { Cause::pack(&cause) }, Relaxed);
        self.set_threshold(state);
        changed.then_some(Change { overloaded, cause })
    }

    fn set_threshold(&self, state: &State) {
        let watched = state.config.watches() && (state.cut() > 0.0 || state.is_near());
        let threshold = watched.then(|| state.memory.threshold(state.cut()));
        self.gate.set_threshold(threshold);
    }

    /// Puts the rules where they are looked at without the lock.
    fn apply(&self, state: &State) {
        self.gate.set_limits(state.config.limits());
        self.mode.store(code_of(state.config.mode), Relaxed);
        self.retry_after.store(state.config.retry_after.map_or(0, nanos), Relaxed);
        self.set_threshold(state);
    }

    #[cold]
    fn below(&self, rank: Rank, threshold: Rank) -> Refused {
        match self.cause() {
            // By hand: who is refused is all that there is to tell.
            Refused { signal: Overload::Priority, .. } => Refused {
                signal: Overload::Priority,
                measured: rank.level().into(),
                limit: threshold.level().into(),
            },
            signal => signal,
        }
    }

    fn cause(&self) -> Refused {
        Cause::unpack(self.cause.load(Relaxed))
    }
}

/// A mode in a byte.
fn code_of(mode: Mode) -> u8 {
    match mode {
        Mode::Enforce => 101,
        Mode::Shadow => 102,
        Mode::Disabled => 103,
        Mode::EnforcePercent(percent) => percent.min(100),
    }
}

fn mode_of(code: u8) -> Mode {
    match code {
        101 => Mode::Enforce,
        102 => Mode::Shadow,
        103 => Mode::Disabled,
        percent => Mode::EnforcePercent(percent),
    }
}
