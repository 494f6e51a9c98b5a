//! Whether a call may go.

use std::time::Duration;

use super::{Admission, Env, Machine, State, Tally, admission::Kind, cells::bump, env::happens, state::Word};
use crate::{BreakerEvidence, Name, Rejection, Time, rejection::UNKNOWN, time::nanos};

/// Something changed since the refusal was decided.
const AT_ONCE: Option<Duration> = Some(Duration::ZERO);
/// How far a coarse clock may lag.
const COARSE: Duration = Duration::from_millis(20);
/// The share of calls that a recovering breaker lets through to begin with.
const FIRST_SHARE: f64 = 0.1;

/// Why a call is not admitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Refusal {
    /// What the breaker knew.
    pub evidence: BreakerEvidence,
    /// After this time a call may be admitted; `None` when nobody knows, as for an isolated breaker.
    pub retry_after: Option<Duration>,
}

/// That a call would be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusing {
    state: State,
    /// In nanoseconds; [`UNKNOWN`] when nobody knows.
    wait: u64,
}

/// What becomes of a call in the present state.
enum Step {
    Go(Admission),
    /// The state has moved: ask again.
    Again,
    Refuse(Option<Duration>),
}

impl Machine {
    /// Asks for one call.
    ///
    /// # Errors
    ///
    /// The refusal, when the breaker does not let it through.
    #[inline]
    pub fn admit(&self, shard: usize, env: &impl Env) -> Result<Admission, Refusal> {
        match self.admit_closed() {
            Some(admission) => Ok(admission),
            None => self.admit_slow(shard, env),
        }
    }

    /// Asks for one call of a closed breaker that need not know the time, and decides nothing when that is
    /// not so: the short way, small enough to be inlined, before [`admit`](Self::admit).
    #[inline]
    pub fn admit_closed(&self) -> Option<Admission> {
        let word = self.word();
        word.is_short().then(|| Admission::new(word.epoch(), Kind::Call, Time::ORIGIN))
    }

    /// Whether a call that came now would be refused for certain, whatever the lot and the mode.
    #[inline]
    pub fn is_refusing(&self, env: &impl Env) -> bool {
        self.refusing(env).is_some()
    }

    /// Looks whether a call that came now would be refused for certain. If so, and if the call comes, it is
    /// to be refused by [`refuse`](Self::refuse).
    #[inline]
    pub fn refusing(&self, env: &impl Env) -> Option<Refusing> {
        let word = self.word();
        if word.is_closed() { None } else { self.refusing_slow(word, env) }
    }

    /// Looks whether it is open, refuses every call, and will for longer than a [coarse](Env::coarse) clock
    /// may lag: the short way, small enough to be inlined, before [`refusing`](Self::refusing).
    #[inline(always)]
    pub fn refusing_for_long(&self, coarse: impl FnOnce() -> Time) -> Option<Refusing> {
        let word = self.word();
        if !word.is_open() || !self.settings.refuses_all() {
            return None;
        }
        let wait = word.time().as_nanos().saturating_sub(coarse().as_nanos());
        (wait > COARSE.as_nanos() as u64).then_some(Refusing { state: State::Open, wait })
    }

    #[cold]
    #[inline(never)]
    fn refusing_slow(&self, word: Word, env: &impl Env) -> Option<Refusing> {
        let (state, now) = (word.state(), env.now());
        let wait = match state {
            State::Isolated => match word.override_end() {
                Some(end) if now >= end => return None,
                end => end.map(|end| end.since(now)),
            },
            State::Open if self.settings.refuses_all() => Some(self.wait_of(word, env)?),
            State::HalfOpen if self.settings.refuses_all() => match self.overdue(word, now) {
                // It will be open, and refuse, unless that is over by now too.
                Some(overdue) => {
                    self.reopen(word, overdue, env);
                    return self.open_and_refusing(now);
                }
                None => Some(self.first_end(word)?.since(now)),
            },
            _ => return None,
        };
        Some(Refusing { state, wait: wait.map_or(UNKNOWN, nanos) })
    }

    fn open_and_refusing(&self, now: Time) -> Option<Refusing> {
        let word = self.word();
        let refuses = word.is_open() && now < word.time();
        refuses.then(|| Refusing { state: State::Open, wait: nanos(word.time().since(now)) })
    }

    /// How long until an open breaker may probe; `None` when it may.
    fn wait_of(&self, word: Word, env: &impl Env) -> Option<Duration> {
        let until = word.time();
        let coarse = env.coarse();
        // The coarse clock may lag, but who has waited for long enough must not be refused for that.
        let now = if coarse + COARSE < until { coarse } else { env.now() };
        (now < until).then(|| until.since(now))
    }

    /// Counts and explains a refusal that was [seen coming](Self::refusing).
    #[inline]
    pub fn refuse(&self, shard: usize, refusing: Refusing) -> Refusal {
        bump(&self.cell(shard).refused);
        let evidence = self.trouble().evidence.read(refusing.state);
        Refusal {
            evidence,
            retry_after: (refusing.wait != UNKNOWN).then(|| Duration::from_nanos(refusing.wait)),
        }
    }

    /// The same in `policy`'s name, counted on a shard that is known, without taking apart what it tells.
    /// Whoever hears of it does so first, by a copy: what nobody else has seen need not lie in memory.
    #[inline(always)]
    pub fn reject(
        &self,
        policy: &Name,
        tally: &Tally,
        refusing: Refusing,
        heard: Option<impl FnOnce(Rejection)>,
    ) -> Rejection {
        tally.refused();
        let kept = self.trouble().evidence.copy(refusing.state);
        if let Some(hear) = heard {
            hear(Rejection::by_breaker(policy.clone(), kept, refusing.wait));
        }
        Rejection::by_breaker(policy.clone(), kept, refusing.wait)
    }

    #[cold]
    #[inline(never)]
    fn admit_slow(&self, shard: usize, env: &impl Env) -> Result<Admission, Refusal> {
        loop {
            let word = self.word();
            let step = match word.state() {
                State::Closed => Step::Go(self.timed(word, env)),
                State::Open => self.admit_open(word, env),
                State::HalfOpen => self.admit_probe(word, env),
                State::Recovering => self.admit_recovering(word, env),
                _ => self.admit_override(word, env),
            };
            match step {
                Step::Go(admission) => return Ok(admission),
                Step::Again => {}
                Step::Refuse(retry_after) => return self.turn_away(shard, word.state(), retry_after, env),
            }
        }
    }

    /// A call whose duration may count.
    fn timed(&self, word: Word, env: &impl Env) -> Admission {
        if self.settings.is_timed() {
            return Admission::new(word.epoch(), Kind::Timed, env.now());
        }
        Admission::new(word.epoch(), Kind::Call, Time::ORIGIN)
    }

    fn admit_open(&self, word: Word, env: &impl Env) -> Step {
        match self.wait_of(word, env) {
            Some(wait) => Step::Refuse(Some(wait)),
            // Open => HalfOpen, by whoever comes first after the open time
            None => {
                let now = env.now();
                self.leave(word, State::HalfOpen, now.as_millis(), now, env);
                Step::Again
            }
        }
    }

    /// Asks for a probe's permit.
    fn admit_probe(&self, word: Word, env: &impl Env) -> Step {
        let now = env.now();
        if let Some(overdue) = self.overdue(word, now) {
            self.reopen(word, overdue, env);
            return Step::Again;
        }
        if !self.settings.draws_probe(env) {
            // Who lost waits for no less than who came when every permit was leased.
            return Step::Refuse(self.first_end(word).map(|end| end.since(now)).or(AT_ONCE));
        }
        let permits = self.settings.permits();
        match self.trouble().probes.take(word.epoch(), permits, now + self.settings.lease()) {
            Ok(slot) => self.confirm(word, slot, now),
            Err(Some(first_end)) if first_end > now => Step::Refuse(Some(first_end.since(now))),
            // The epoch is over, or a lease ran out between the two looks.
            Err(_) => Step::Again,
        }
    }

    /// A permit counts only if its epoch still lasts; otherwise it was taken too late.
    fn confirm(&self, word: Word, slot: u16, now: Time) -> Step {
        if self.is_still(word) {
            return Step::Go(Admission::new(word.epoch(), Kind::Probe(slot), now));
        }
        self.trouble().probes.give_back(word.epoch(), slot);
        Step::Again
    }

    /// The share of calls that go rises with time, and the lot decides which.
    fn admit_recovering(&self, word: Word, env: &impl Env) -> Step {
        let (now, ramp) = (env.now(), self.settings.ramp().unwrap_or_default());
        let age = now.since(word.time());
        if age < ramp {
            let part = nanos(age) as f64 / nanos(ramp) as f64;
            if !happens(FIRST_SHARE + (1.0 - FIRST_SHARE) * part, env.random()) {
                return Step::Refuse(Some((ramp - age).min(ramp / 10)));
            }
        }
        Step::Go(Admission::new(word.epoch(), Kind::Ramp, now))
    }

    fn admit_override(&self, word: Word, env: &impl Env) -> Step {
        let mut left = None;
        if let Some(end) = word.override_end() {
            let now = env.now();
            if now >= end {
                // override => Closed, when its time is over
                self.end_override(word, end, env);
                return Step::Again;
            }
            left = Some(end.since(now));
        }
        match word.state() {
            State::Isolated => Step::Refuse(left),
            State::MetricsOnly => Step::Go(self.timed(word, env)),
            State::ForcedClosed => Step::Go(Admission::new(word.epoch(), Kind::Bypass, Time::ORIGIN)),
            State::Disabled => Step::Go(Admission::new(word.epoch(), Kind::Untracked, Time::ORIGIN)),
            _ => Step::Again,
        }
    }

    /// Refuses, unless the mode or the world around lets the call pass.
    fn turn_away(
        &self,
        shard: usize,
        state: State,
        retry_after: Option<Duration>,
        env: &impl Env,
    ) -> Result<Admission, Refusal> {
        let spared = self.settings.only_retries() && !env.is_retry();
        let passes =
            state != State::Isolated && (spared || !self.settings.enforces(env) || env.waives(state));
        let evidence = self.trouble().evidence.read(state);
        let refusal = Refusal { evidence, retry_after };
        if passes {
            bump(&self.cell(shard).bypassed);
            env.spared(&refusal);
            return Ok(Admission::new(self.word().epoch(), Kind::Bypass, Time::ORIGIN));
        }
        bump(&self.cell(shard).refused);
        Err(refusal)
    }
}
