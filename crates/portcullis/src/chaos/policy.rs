//! The handle of chaos.

use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use portcullis_core::{
    ConfigError, FailureKind, Mode, Name, PolicyKind, Reason, Rejection, Time,
    chaos::{self, Config, End, FaultKind, Plan},
};

use super::{
    ChaosBuilder, ChaosStatus, Choice,
    measure::{self, Counts},
};
use crate::{
    FromRejection, Registry, clock,
    dice::Dice,
    event::{Emitter, Event, EventKind},
    live::Live,
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
    shard::Sharded,
};

/// Named faults: a cheap handle to shared state. Clones are the same.
///
/// It works without tower too, see [`call`](Self::call).
#[derive(Clone)]
pub struct Chaos {
    pub(super) shared: Sharded<Shared>,
}

pub(super) struct Shared {
    settings: Live<Settings>,
    /// As the settings say; what every call looks at.
    enabled: AtomicBool,
    dice: Dice,
    /// Of the seed, so that another lets others have trouble.
    salt: u64,
    emitter: Emitter,
    counts: Counts,
}

struct Settings {
    config: Config,
    /// When they were given: what the schedule counts from.
    since: Time,
}

impl Chaos {
    /// Chaos to be configured.
    pub fn builder(name: impl Into<Name>) -> ChaosBuilder {
        ChaosBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let shared = Sharded::new(Shared {
            enabled: AtomicBool::new(config.enabled),
            settings: Live::new(Settings { config, since: clock::now() }),
            dice: Dice::new(seed),
            salt: seed.map_or(0, |seed| fastrand::Rng::with_seed(seed).u64(..)),
            emitter: Emitter::new(name.clone(), PolicyKind::Chaos, registry),
            counts: Counts::default(),
        });
        registry.join_sharded(PolicyKind::Chaos, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.emitter.name()
    }

    /// The settings.
    pub fn config(&self) -> Config {
        self.shared.settings.load().config.clone()
    }

    /// Changes the settings while calls flow; the schedule begins anew.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        self.shared.update(|_| config);
        Ok(())
    }

    /// Turns the faults on or off; the schedule begins anew.
    pub fn set_enabled(&self, enabled: bool) {
        self.shared.update(|config| Config { enabled, ..config.clone() });
    }

    /// Everything there is to see.
    pub fn status(&self) -> ChaosStatus {
        self.shared.status()
    }

    /// Its last events, the youngest last; single faults are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }

    /// Runs `call`, unless that is to meet a fault. There is no [response](FaultKind::Response) to meet here, and
    /// no body. Dropping the future drops what runs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::{BoxError, Chaos, FailureKind, Rejection};
    ///
    /// let chaos = Chaos::builder("disk").error(1.0, FailureKind::Internal).enabled(true).build()?;
    /// let read: Result<u32, Rejection> = chaos.call(|| async { Ok(7) }).await;
    /// assert_eq!(read.unwrap_err().to_string(), "chaos 'disk' made it fail: internal");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What `call` returned, or the fault.
    ///
    /// # Panics
    ///
    /// Where that is the fault to be met.
    pub async fn call<F, Fut, T, E>(&self, call: F) -> Result<T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: FromRejection,
    {
        let Some(plan) = self.shared.plan(Choice::Switch) else { return call().await };
        let result = match plan.end {
            None => call().await,
            Some(end) => Err(E::from_rejection(self.shared.meet(end).await)),
        };
        wait(plan.latency).await;
        result
    }
}

async fn wait(latency: Duration) {
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Config) {
        let replaced: Result<(), std::convert::Infallible> = self.settings.update(|before| {
            let config = change(&before.config);
            // Under the lock, or that of another change could stay.
            self.enabled.store(config.enabled, Relaxed);
            Ok(Settings { config, since: clock::now() })
        });
        let Ok(()) = replaced;
        self.emitter.config_changed();
    }

    /// What a call meets; `None` for nothing.
    #[inline(always)]
    pub(super) fn plan(&self, choice: Choice) -> Option<Plan> {
        match choice {
            Choice::Off => None,
            Choice::Switch | Choice::Key(_) if !self.enabled.load(Relaxed) => None,
            choice => self.draw(choice),
        }
    }

    #[cold]
    #[inline(never)]
    fn draw(&self, choice: Choice) -> Option<Plan> {
        let settings = self.settings.load();
        let since = clock::now().since(settings.since);
        let plan = match choice {
            Choice::Key(key) | Choice::OnKey(key) => {
                let mut random = fastrand::Rng::with_seed(key ^ self.salt);
                chaos::plan(&settings.config, since, || random.u64(..))
            }
            _ => chaos::plan(&settings.config, since, || self.dice.draw()),
        };
        (!plan.is_none()).then(|| {
            self.met(&plan);
            plan
        })
    }

    fn met(&self, plan: &Plan) {
        let fault = |word: &'static str| {
            self.counts.met(word);
            self.emitter.frequent(|| EventKind::Injected { fault: word });
        };
        if !plan.latency.is_zero() {
            fault("latency");
        }
        if let Some(end) = plan.end {
            fault(word(end));
        }
        if plan.cut_after.is_some() {
            fault("cut_body");
        }
        if plan.bandwidth.is_some() {
            fault("bandwidth");
        }
    }

    /// The failure that a call ends with.
    pub(super) fn failure(&self, kind: FailureKind) -> Rejection {
        Rejection::new(self.emitter.name().clone(), Reason::Injected { kind })
    }

    /// Ends a call that has no response to meet.
    async fn meet(&self, end: End) -> Rejection {
        match end {
            End::Hang => std::future::pending().await,
            End::Panic => self.panic(),
            End::Error(kind) => self.failure(kind),
            _ => self.failure(FailureKind::Internal),
        }
    }

    /// The fault that was asked for.
    #[expect(clippy::panic, reason = "it was asked for")]
    pub(super) fn panic(&self) -> ! {
        panic!("chaos '{}' made it panic", self.emitter.name())
    }

    fn status(&self) -> ChaosStatus {
        self.counts.status(self.enabled.load(Relaxed))
    }
}

fn word(end: End) -> &'static str {
    match end {
        End::Error(kind) => FaultKind::Error(kind).as_str(),
        End::Panic => FaultKind::Panic.as_str(),
        End::Hang => FaultKind::Hang.as_str(),
        _ => FaultKind::Response.as_str(),
    }
}

crate::registry::handle!(Chaos, Chaos);

impl fmt::Debug for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chaos").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&self.settings.load().config).into())
    }

    fn measure(&self, into: &mut dyn Measures) {
        self.counts.measure(into);
    }

    fn snapshot(&self) -> Snapshot {
        measure::snapshot(self.emitter.name(), &self.status())
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(if self.enabled.load(Relaxed) { Mode::Enforce } else { Mode::Disabled })
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        let enabled = match mode {
            Mode::Enforce => true,
            Mode::Disabled => false,
            other => return Err(ConfigError::new("chaos.mode", other, "Enforce or Disabled")),
        };
        self.update(|config| Config { enabled, ..config.clone() });
        Ok(())
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }
}
