//! What a failover covers and counts.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind, health::Level};

use crate::{
    Registry,
    event::{Emitter, EventKind},
    fallback::{
        Config, Why,
        cover::{Cover, Covered},
    },
    metrics::{Measures, names::FALLBACKS},
    registry::{Action, Policy, Snapshot, Value},
};

/// A failover at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailoverStatus {
    /// In the order in which they are asked.
    pub providers: Vec<ProviderStatus>,
    /// Calls that no provider could answer.
    pub exhausted: u64,
    /// Calls whose request could not be sent to the next.
    pub not_replayable: u64,
    /// Calls whose time was over before the next could be asked.
    pub over_time: u64,
    /// Calls for which the next was only to be asked, by the mode.
    pub shadowed: u64,
    /// Whether the next provider is asked, or that is only counted.
    pub mode: Mode,
}

/// A provider at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderStatus {
    /// Its name.
    pub name: Name,
    /// Calls that it failed or refused, and that went on to the next.
    pub passed_on: u64,
}

/// The state of one failover. What the providers do all day is counted by their own policies.
pub(super) struct Policies {
    cover: Cover,
    emitter: Emitter,
    providers: Box<[(Name, AtomicU64)]>,
    exhausted: AtomicU64,
    not_replayable: AtomicU64,
    over_time: AtomicU64,
    shadowed: AtomicU64,
}

/// What becomes of a call that a provider did not answer well.
pub(super) enum Next {
    Ask,
    Answer,
}

impl Policies {
    pub(super) fn new(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
        names: Vec<Name>,
    ) -> Result<Arc<Self>, ConfigError> {
        let shared = Arc::new(Self {
            cover: Cover::new(config, seed)?,
            emitter: Emitter::new(name.clone(), PolicyKind::Failover, registry),
            providers: names.into_iter().map(|name| (name, AtomicU64::new(0))).collect(),
            exhausted: AtomicU64::new(0),
            not_replayable: AtomicU64::new(0),
            over_time: AtomicU64::new(0),
            shadowed: AtomicU64::new(0),
        });
        registry.join(PolicyKind::Failover, name, &shared);
        Ok(shared)
    }

    pub(super) fn name(&self) -> &Name {
        self.emitter.name()
    }

    pub(super) fn config(&self) -> Arc<Config> {
        self.cover.config()
    }

    pub(super) fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.cover.update(change)?;
        self.emitter.config_changed();
        Ok(())
    }

    /// What is to be done after the provider of this number, which is `last` or not.
    pub(super) fn next(&self, why: &Why, last: bool) -> Next {
        match self.cover.covers(why) {
            Covered::Yes if last => count(&self.exhausted),
            Covered::Yes => return Next::Ask,
            Covered::Shadowed => count(&self.shadowed),
            Covered::No => {}
        }
        Next::Answer
    }

    /// The next provider is asked after this one.
    pub(super) fn passed_on(&self, provider: usize, why: &Why) {
        if let Some((_, passed_on)) = self.providers.get(provider) {
            count(passed_on);
        }
        self.emitter.frequent(|| EventKind::Fallback { after: why.kind() });
    }

    pub(super) fn not_replayable(&self) {
        count(&self.not_replayable);
    }

    pub(super) fn over_time(&self) {
        count(&self.over_time);
    }

    pub(super) fn status(&self) -> FailoverStatus {
        let provider = |(name, passed_on): &(Name, AtomicU64)| ProviderStatus {
            name: name.clone(),
            passed_on: passed_on.load(Relaxed),
        };
        FailoverStatus {
            providers: self.providers.iter().map(provider).collect(),
            exhausted: self.exhausted.load(Relaxed),
            not_replayable: self.not_replayable.load(Relaxed),
            over_time: self.over_time.load(Relaxed),
            shadowed: self.shadowed.load(Relaxed),
            mode: self.config().mode,
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

impl Policy for Policies {
    fn measure(&self, into: &mut dyn Measures) {
        let status = self.status();
        into.counter(&FALLBACKS, &["used"], status.providers.iter().map(|one| one.passed_on).sum());
        into.counter(&FALLBACKS, &["failed"], status.exhausted);
        into.counter(&FALLBACKS, &["not_replayable"], status.not_replayable);
        into.counter(&FALLBACKS, &["over_time"], status.over_time);
        into.counter(&FALLBACKS, &["shadowed"], status.shadowed);
    }

    fn snapshot(&self) -> Snapshot {
        let status = self.status();
        let passed_on = status.providers.iter().map(|one| format!("{}: {}", one.name, one.passed_on));
        Snapshot {
            name: self.name().clone(),
            kind: PolicyKind::Failover,
            state: "active",
            level: Level::Healthy,
            values: vec![
                ("mode", status.mode.as_str().into()),
                ("passed_on", Value::Text(passed_on.collect::<Vec<_>>().join(", "))),
                ("exhausted", status.exhausted.into()),
                ("not_replayable", status.not_replayable.into()),
                ("over_time", status.over_time.into()),
                ("shadowed", status.shadowed.into()),
            ],
        }
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.config().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }
}
