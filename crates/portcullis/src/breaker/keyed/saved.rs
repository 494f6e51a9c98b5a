//! What of a keyed breaker outlives its process: the keys that are not closed.

use std::sync::Arc;

use portcullis_core::breaker::State;

use super::{
    one::{One, OneKey},
    policy::Shared,
};
use crate::{
    breaker::saved,
    clock,
    keyed::Key,
    restart::{Kept, Saved, keys},
};

impl<K: Key> Shared<K> {
    pub(super) fn save_keys(&self, into: &mut Saved) {
        self.common.emitter.save(into);
        if self.common.gate.state() == State::Isolated {
            saved::save(&self.common.gate, into);
        }
        self.keys.for_each(|one| {
            let machine = &one.value().machine;
            if machine.state() != State::Closed {
                keys::save(into, one.key(), |into| saved::save(machine, into));
            }
        });
    }

    pub(super) fn resume_keys(&self, from: &Kept<'_>) -> bool {
        let stopped = self.common.emitter.resume(from).is_some();
        let config = self.common.settings.config();
        let gate = saved::memory(from, &config).filter(|memory| memory.state == State::Isolated);
        if stopped || gate.is_some() {
            self.common.isolate(gate.and_then(|memory| memory.left));
        }
        let resume = |(key, kept): (K, Kept<'_>)| {
            let memory = saved::memory(&kept, &config)?;
            let one: Arc<One<K>> = self.one_of_key(key)?;
            Some(one.value().machine.resume(&memory, &one.world()))
        };
        // All of them, and not until the first.
        let keys = keys::kept(from).filter_map(resume).filter(|resumed| *resumed).count();
        stopped || gate.is_some() || keys > 0
    }

    fn one_of_key(&self, key: K) -> Option<Arc<One<K>>> {
        let now = clock::now();
        self.keys.get_or_put(key, now, || OneKey::new(&self.common, now)).into_entry()
    }
}
