//! The fallback's handle.

use std::{fmt, future::Future, sync::Arc};

use portcullis_core::{ConfigError, Mode, Name, PolicyKind};

use super::{
    Config, FallbackBuilder, FallbackStatus, Why,
    cover::{Cover, Covered},
    measure::{self, Counts},
};
use crate::{
    FromRejection, Registry,
    event::{Emitter, Event, EventKind},
    lead::{Lead, Leads},
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
};

/// A named fallback: a cheap handle to what is covered, and to what was. Clones are the same fallback.
///
/// Calls do not keep it: one that fails after the last handle, layer and service is gone is covered as they had it, but
/// no longer counted.
///
/// It works without tower too, see [`call`](Self::call).
#[derive(Clone)]
pub struct Fallback {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) lead: Lead,
    pub(super) cover: Cover,
    emitter: Emitter,
    pub(super) counts: Counts,
}

/// By which calls that fail find theirs.
pub(super) static FALLBACKS: Leads<Shared> = Leads::new();

impl Fallback {
    /// A fallback with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A fallback to be configured.
    pub fn builder(name: impl Into<Name>) -> FallbackBuilder {
        FallbackBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let cover = Cover::new(config, seed)?;
        let emitter = Emitter::new(name.clone(), PolicyKind::Fallback, registry);
        let shared = FALLBACKS.begin(|lead| Shared { lead, cover, emitter, counts: Counts::default() });
        registry.join(PolicyKind::Fallback, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.emitter.name()
    }

    /// The settings.
    pub fn config(&self) -> Arc<Config> {
        self.shared.cover.config()
    }

    /// Changes the settings while calls flow.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says whether something else is answered, or only counted.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Everything there is to see.
    pub fn status(&self) -> FallbackStatus {
        self.shared.counts.status(self.config().mode)
    }

    /// Its last events, the youngest last; single fallbacks are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }

    /// Runs `call`, and where that fails in a way that is covered, `instead`. Dropping the future drops what
    /// runs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::{BoxError, Fallback};
    ///
    /// let fallback = Fallback::new("prices");
    /// let price = fallback.call(
    ///     || async { Err::<u32, BoxError>("no connection".into()) },
    ///     |_why| async { Ok(99) },
    /// );
    /// assert_eq!(price.await?, 99);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// That of `instead`, or of `call`, where that is not covered.
    pub async fn call<T, E, F, Fut, G, Gut>(&self, call: F, instead: G) -> Result<T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        G: FnOnce(Why) -> Gut,
        Gut: Future<Output = Result<T, E>>,
        E: FromRejection,
    {
        let error = match call().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let failure = error.verdict().failure().cloned();
        match Why::new(failure, error.as_rejection().cloned()).filter(|why| self.shared.covers(why)) {
            Some(why) => {
                drop(error);
                let mut used = Using::begin(&*self.shared, &why);
                let result = instead(why).await;
                used.ended(result.is_ok());
                result
            }
            None => Err(error),
        }
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.cover.update(change)?;
        self.emitter.config_changed();
        Ok(())
    }

    /// Whether something else is to be answered.
    pub(super) fn covers(&self, why: &Why) -> bool {
        match self.cover.covers(why) {
            Covered::Yes => true,
            Covered::Shadowed => {
                self.counts.shadowed();
                false
            }
            Covered::No => false,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        FALLBACKS.end(self.lead);
    }
}

/// A substitute that runs; one that is dropped before it has answered is counted as given up.
pub(super) struct Using<S: std::ops::Deref<Target = Shared>> {
    shared: S,
    ended: bool,
}

impl<S: std::ops::Deref<Target = Shared>> Using<S> {
    pub(super) fn begin(shared: S, why: &Why) -> Self {
        shared.counts.used(why);
        shared.emitter.frequent(|| EventKind::Fallback { after: why.kind() });
        Self { shared, ended: false }
    }

    /// It has answered.
    pub(super) fn ended(&mut self, well: bool) {
        self.ended = true;
        if !well {
            self.shared.counts.failed();
        }
    }
}

impl<S: std::ops::Deref<Target = Shared>> Drop for Using<S> {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.counts.abandoned();
        }
    }
}

crate::registry::handle!(Fallback, Fallback);
crate::registry::new_in!(Fallback);

impl fmt::Debug for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&*self.cover.config()).into())
    }

    fn measure(&self, into: &mut dyn Measures) {
        self.counts.measure(into);
    }

    fn snapshot(&self) -> Snapshot {
        measure::snapshot(self.emitter.name(), &self.counts.status(self.cover.config().mode))
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.cover.config().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }
}
