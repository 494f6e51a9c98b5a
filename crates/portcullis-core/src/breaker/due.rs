//! What happens by the passing of time.

use super::{Env, Machine, State, cells::bump, state::Word, transition::Why};
use crate::{FailureKind, Time, sync::lock};

/// A half-open breaker that should be open by now.
pub(super) struct Overdue {
    since: Time,
    /// For a probe whose lease ran out; that is the probe's failure.
    hung: bool,
}

impl Machine {
    /// When the first lease ends, if every permit is leased.
    pub(super) fn first_end(&self, word: Word) -> Option<Time> {
        self.trouble().probes.first_end(word.epoch(), self.settings.permits())
    }

    /// Whether a half-open breaker has waited too long: for a decision, or for a probe that holds the
    /// last permit.
    pub(super) fn overdue(&self, word: Word, now: Time) -> Option<Overdue> {
        if word.state() != State::HalfOpen {
            return None;
        }
        // Not `started + max <= now`, and not after the last time that a word can hold: that would be true at
        // once, and for ever.
        let (started, held) = (word.time(), now.min(Word::LAST));
        match self.settings.max_half_open() {
            Some(max) if held.since(started) >= max => Some(Overdue { since: started + max, hung: false }),
            _ => {
                let end = self.first_end(word).filter(|&end| end <= now)?;
                Some(Overdue { since: end, hung: true })
            }
        }
    }

    /// HalfOpen => Open, from when it was due.
    pub(super) fn reopen(&self, word: Word, Overdue { since, hung }: Overdue, env: &impl Env) {
        let guard = lock(&self.log);
        if !self.is_still(word) {
            return;
        }
        if hung {
            self.trouble().evidence.failed(FailureKind::Timeout);
        }
        // Who asks for an open time of one's own is not alone: it is the failure of who opens.
        let advised = guard.as_ref().map_or_else(Default::default, |log| log.advised(since));
        if self.open(guard, word, Why { advised, ..Why::default() }, since, env) && hung {
            bump(&self.cell(0).failures);
            self.trouble().failed(FailureKind::Timeout);
        }
    }

    /// Does what is due by now without waiting for a call: an open breaker that may probe becomes half-open,
    /// a half-open one that waited too long opens, a ramp ends, and so does an override. Returns when to ask
    /// again; `None` when nothing will ever be due without another transition.
    pub fn tick(&self, env: &impl Env) -> Option<Time> {
        loop {
            let (word, now) = (self.word(), env.now());
            let due = self.due(word, now);
            if !self.is_still(word) {
                continue; // the probes that it saw may be those of a newer epoch
            }
            let due = due?;
            if now < due {
                return Some(due);
            }
            match word.state() {
                State::Open => _ = self.leave(word, State::HalfOpen, now.as_millis(), now, env),
                State::HalfOpen => match self.overdue(word, now) {
                    Some(overdue) => self.reopen(word, overdue, env),
                    // At the end of time, where leases end at once.
                    None => return Some(due),
                },
                State::Recovering => _ = self.leave(word, State::Closed, 0, now, env),
                // override => Closed, since its time was over, as when a call comes
                _ => self.end_override(word, due, env),
            }
        }
    }

    /// Whether the present state is over by `now`, so that whoever comes next leaves it behind.
    pub fn is_due(&self, now: Time) -> bool {
        self.due(self.word(), now).is_some_and(|due| due <= now)
    }

    /// When the state has to change without a call, or may have to.
    fn due(&self, word: Word, now: Time) -> Option<Time> {
        match word.state() {
            State::Open => Some(word.time()),
            State::HalfOpen if self.overdue(word, now).is_some() => Some(now),
            State::HalfOpen => {
                let longest = self.settings.max_half_open().map(|max| word.time() + max);
                // With a permit free nothing is due, but all may be taken by then.
                let lease = self.first_end(word).unwrap_or(now + self.settings.lease());
                Some(longest.map_or(lease, |longest| longest.min(lease)))
            }
            State::Recovering => self.settings.ramp().map(|ramp| word.time() + ramp),
            _ => word.override_end(),
        }
    }
}
