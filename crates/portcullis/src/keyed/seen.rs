//! A policy per key as its registry sees it.

use portcullis_core::{ConfigError, Mode, PolicyKind, health::Level, pipeline::Facts};

use super::{
    Key,
    family::{Family, Settings},
    many::{Many, OfMany},
};
use crate::{
    event::Emitter,
    metrics::Measures,
    registry::{Action, Policy, Snapshot, Values},
    restart::{Kept, Saved},
};

/// The settings of such policies.
pub(crate) type ConfigOf<P> = <<P as OfMany>::Common as Family>::Config;

/// What a registry sees of a policy of which there is one for each key.
pub(crate) trait Seen: OfMany {
    const KIND: PolicyKind;
    const ACTIONS: &'static [Action];

    fn facts(common: &Self::Common) -> Facts;

    /// What there is to see of all of them together.
    fn values(common: &Self::Common) -> Values;

    fn measure(common: &Self::Common, into: &mut dyn Measures);

    /// Changes the settings of all keys and of the overflow, and tells of it.
    fn change<K: Key>(
        all: &Many<K, Self>,
        change: impl FnOnce(&ConfigOf<Self>) -> ConfigOf<Self>,
    ) -> Result<(), ConfigError>;

    fn reset(&self) {}

    /// Writes down what of one key outlives the process.
    fn save(&self, into: &mut Saved) {
        let _ = into;
    }

    /// Goes on with it; whether there was anything.
    fn resume(&self, from: &Kept<'_>) -> bool {
        let _ = from;
        false
    }
}

impl<K: Key, P: Seen> Policy for Many<K, P> {
    fn facts(&self) -> Option<Facts> {
        Some(P::facts(&self.common))
    }

    fn snapshot(&self) -> Snapshot {
        let (keys, evictions) = (&self.keys, self.keys.evictions());
        let mut values = P::values(&self.common);
        values.extend([
            ("entries", (keys.len() as u64).into()),
            ("max_keys", (keys.limits().max_keys as u64).into()),
            ("evicted_idle", evictions.idle.into()),
            ("evicted_full", evictions.full.into()),
            ("overflows", keys.overflows().into()),
        ]);
        let emitter = self.common.emitter();
        // What becomes of one key is no matter for the whole service.
        let (name, level) = (emitter.name().clone(), Level::Healthy);
        emitter.marked(Snapshot { name, kind: P::KIND, state: "active", level, values })
    }

    /// No series per key: their number is up to who sends the requests.
    fn measure(&self, into: &mut dyn Measures) {
        P::measure(&self.common, into);
        self.keys.measure(into);
    }

    fn actions(&self) -> &'static [Action] {
        P::ACTIONS
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.common.config().mode())
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        P::change(self, |config| config.with_mode(mode))
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(self.common.emitter())
    }

    fn reset(&self) {
        self.for_each(|_, policy| policy.reset());
    }

    fn save(&self, into: &mut Saved) {
        self.common.emitter().save(into);
        self.save_keys(into, P::save);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        let stopped = self.common.emitter().resume(from).is_some();
        self.resume_keys(from, P::resume) || stopped
    }
}
