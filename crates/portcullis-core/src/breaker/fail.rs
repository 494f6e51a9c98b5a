//! The end of a call that failed.
//!
//! Most failures meet no rule, and that is known before they come: of the last hundred calls thirty failed, and
//! it takes fifty. So a look at all the rules says how many failures it takes, at least, before one can be
//! met; until then a failure is only given its place among all calls, and forgets those that the window has
//! left behind. What a failure must know for that is under the lock from the beginning to the end.

use super::{
    Admission, Env, Machine, Tally,
    cells::bump,
    log::{Log, Rules},
    machine::Guard,
    state::Epoch,
    trip::Mark,
};
use crate::{Failure, FailureKind, Outcome, sync::lock};

impl Machine {
    /// Records a failure: what [`settle`](Self::settle) does with one, without moving it around.
    ///
    /// Under the lock from the look at the epoch to the transition: one failure opens, none is added to an
    /// epoch that it ended, and the evidence is that failure's.
    #[inline]
    pub fn fail(&self, shard: usize, admission: &Admission, failure: &Failure, env: &impl Env) {
        if failure.retry_after.is_some() {
            return self.settle_slow(shard, admission, Outcome::Failure(*failure), env);
        }
        let all = || self.counters.all_successes(shard);
        if let Err(guard) = self.fail_ahead(all, admission, failure.kind) {
            self.fail_judged(guard, shard, admission, failure.kind, env);
        }
    }

    /// The same for a failure of a dependency that did not say when to come back, so that its kind is all there is
    /// to know; and for who has looked up the shard. Its number, and the world, are asked for only when it takes more
    /// than to count the failure.
    #[inline(always)]
    pub fn fail_on<E: Env>(
        &self,
        tally: &Tally,
        admission: &Admission,
        kind: FailureKind,
        around: impl FnOnce() -> (usize, E),
    ) {
        if let Err(guard) = self.fail_ahead(|| tally.all_successes(), admission, kind) {
            let (shard, env) = around();
            self.fail_judged(guard, shard, admission, kind, &env);
        }
    }

    /// Adds a failure that needs no second thought: most do not. Otherwise nothing is added, and if that is
    /// to be thought about under the lock, it is held.
    #[inline(always)]
    fn fail_ahead(
        &self,
        all: impl FnOnce() -> Option<u64>,
        admission: &Admission,
        kind: FailureKind,
    ) -> Result<(), Option<Guard<'_>>> {
        if !admission.is_plain() {
            return Err(None);
        }
        let mut guard = lock(&self.log);
        let added = guard.as_deref_mut().is_some_and(|log| {
            // A log that knows its epoch forgets it when that ends.
            log.epoch == admission.epoch()
                && log.is_current(&self.settings)
                && all().is_some_and(|seen| log.add_ahead(kind, seen))
        });
        if added { Ok(()) } else { Err(Some(guard)) }
    }

    /// A failure that may meet a rule, or is no plain call's.
    #[cold]
    #[inline(never)]
    fn fail_judged(
        &self,
        guard: Option<Guard<'_>>,
        shard: usize,
        admission: &Admission,
        kind: FailureKind,
        env: &impl Env,
    ) {
        let Some(mut guard) = guard else {
            return self.settle_slow(shard, admission, Failure::new(kind).into(), env);
        };
        let epoch = self.word().epoch();
        let added = guard.as_deref_mut().is_some_and(|log| {
            epoch == admission.epoch()
                && log.is_current(&self.settings)
                && match log.rules {
                    Rules::Plain => self.add_plain(log, shard, epoch, kind),
                    Rules::Timed => {
                        let successes = log.successes(&self.counters, epoch);
                        log.add_timed(kind, successes, env.now())
                    }
                    Rules::More => false,
                }
        });
        if !added {
            self.fail_slow(guard, shard, admission, kind, env);
        }
    }

    /// Adds a failure, if that meets no rule for certain. Otherwise nothing is added.
    fn add_plain(&self, log: &mut Log, shard: usize, epoch: Epoch, kind: FailureKind) -> bool {
        log.is_of(epoch);
        match self.counters.all_successes(shard).and_then(|seen| epoch.untag(seen)) {
            Some(seen) => log.add_harmless(kind, log.moved() + seen),
            None => {
                let seen = self.counters.successes_of(epoch);
                log.add_ahead(kind, epoch.tag(seen)) || log.add_harmless(kind, log.moved() + seen)
            }
        }
    }

    /// The first failure, one that meets a rule or nearly does, or a late one.
    #[cold]
    #[inline(never)]
    fn fail_slow(
        &self,
        mut guard: Guard<'_>,
        shard: usize,
        admission: &Admission,
        kind: FailureKind,
        env: &impl Env,
    ) {
        let word = self.word();
        if word.epoch() != admission.epoch() {
            return bump(&self.cell(shard).late);
        }
        let mark = Mark { failure: Some(kind), slow: false };
        let log = self.log_of(&mut guard, word, env);
        let found = log.mark(mark, &self.counters, word.epoch(), || env.now());
        self.act(guard, word, found, env);
    }
}
