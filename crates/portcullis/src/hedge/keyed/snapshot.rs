//! A keyed hedge as its registry sees it.

use portcullis_core::{ConfigError, Mode, PolicyKind, health::Level, pipeline};

use super::{KeyedHedgeStatus, policy::Shared};
use crate::{
    event::Emitter,
    hedge::{Config, Delay, HedgeStatus, measure},
    keyed::Key,
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
};

impl<K: Key> Shared<K> {
    pub(super) fn status(&self) -> KeyedHedgeStatus {
        let Self { keys, overflow, .. } = self;
        KeyedHedgeStatus {
            keys: keys.len(),
            max_keys: keys.limits().max_keys,
            evictions: keys.evictions(),
            overflows: keys.overflows(),
            all: self.all(),
            overflow: overflow.status(),
        }
    }

    fn all(&self) -> HedgeStatus {
        let config = self.common.config.load();
        let fixed = match config.delay {
            Delay::Fixed(delay) => Some(delay),
            _ => None,
        };
        self.common.counts.status(fixed, self.common.untouched(), config.mode)
    }
}

impl<K: Key> Policy for Shared<K> {
    fn facts(&self) -> Option<pipeline::Facts> {
        let config = self.common.config.load();
        // One for each key, and nobody else's.
        let (name, id) = (self.common.emitter.name().clone(), None);
        let budget = pipeline::Budget { name, id, config: config.budget, counts_calls: true };
        Some(measure::facts(&config, budget))
    }

    fn snapshot(&self) -> Snapshot {
        let status = self.status();
        let mut values = measure::values(&status.all);
        // There is one for each key.
        values.retain(|(name, _)| *name != "budget_available");
        values.extend([
            ("entries", (status.keys as u64).into()),
            ("max_keys", (status.max_keys as u64).into()),
            ("evicted_idle", status.evictions.idle.into()),
            ("evicted_full", status.evictions.full.into()),
            ("overflows", status.overflows.into()),
        ]);
        // A budget of one key that is spent is no matter for the whole service.
        let (kind, level) = (PolicyKind::Hedge, Level::Healthy);
        Snapshot { name: self.common.emitter.name().clone(), kind, state: "active", level, values }
    }

    /// No series per key: their number is up to who sends the requests.
    fn measure(&self, into: &mut dyn Measures) {
        measure::measure(&self.all(), into);
        self.keys.measure(into);
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.common.config.load().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.reconfigure(|config| Ok(Config { mode, ..config.clone() }))
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.common.emitter)
    }
}
