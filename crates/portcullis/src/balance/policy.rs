//! The handle of the policy.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis_core::{
    ConfigError, Mode, Name, PolicyKind, Reason, Rejection, Verdict,
    balance::{Measure, mixed},
    outlier::{Admitted, Change, Config, Endpoint, EndpointStatus, Fleet, FleetStatus},
};

use super::{OutlierEndpoint, OutliersBuilder, end::End, measure, waiters::Waiters};
use crate::{
    Registry, clock,
    dice::Dice,
    event::{Emitter, Event},
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
    restart::{Kept, Saved},
};

/// The named policy that ejects outliers: a cheap handle to shared state. Clones are the same policy.
///
/// [`Endpoints`](super::Endpoints) take it along. With a balancer of one's own it works by hand:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::ConfigError> {
/// use portcullis::{BoxError, Outliers};
///
/// let outliers = Outliers::builder("inventory").consecutive(3).build()?;
/// let hosts = ["a", "b"].map(|name| outliers.join(name));
/// for _ in 0..3 {
///     let failed = hosts[0].call(|| async { Err::<(), BoxError>("broken".into()) }).await;
///     assert!(failed.is_err());
/// }
/// assert!(!hosts[0].is_usable() && hosts[1].is_usable());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Outliers {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) fleet: Fleet,
    dice: Dice,
    pub(super) waiters: Waiters,
    pub(super) refused: AtomicU64,
    emitter: Emitter,
}

impl Outliers {
    /// A policy with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A policy to be configured.
    pub fn builder(name: impl Into<Name>) -> OutliersBuilder {
        OutliersBuilder::new(name.into())
    }

    pub(super) fn from_config(
        name: Name,
        config: Config,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let shared = Arc::new(Shared {
            fleet: Fleet::new(config, clock::now())?,
            dice: Dice::new(seed),
            waiters: Waiters::default(),
            refused: AtomicU64::new(0),
            emitter: Emitter::new(name.clone(), PolicyKind::Balance, registry),
        });
        registry.join(PolicyKind::Balance, name, &shared);
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.shared.name()
    }

    /// Takes in an endpoint of a balancer of one's own. It leaves when the handle is dropped.
    pub fn join(&self, endpoint: impl Into<Name>) -> OutlierEndpoint {
        OutlierEndpoint::new(End::join(&self.shared, endpoint.into(), 1, Measure::InFlight))
    }

    /// Everything there is to see of all endpoints together.
    pub fn status(&self) -> FleetStatus {
        self.shared.sweep();
        self.shared.fleet.status()
    }

    /// Each endpoint at this moment, in the order in which they joined.
    pub fn endpoints(&self) -> Vec<EndpointStatus> {
        self.shared.sweep();
        self.shared.fleet.endpoints(clock::now())
    }

    /// Whether so few endpoints can be used that all are.
    pub fn is_panicking(&self) -> bool {
        self.shared.sweep();
        self.shared.fleet.is_panicking()
    }

    /// Ejects the endpoints of this name for a time, as far as the [share](Config::max_ejected_share) has room;
    /// whether there was one.
    pub fn eject(&self, endpoint: &str, time: Duration) -> bool {
        self.each(endpoint, |fleet, endpoint| fleet.eject(endpoint, time, clock::now()))
    }

    /// Ends the ejection of the endpoints of this name; whether there was one.
    pub fn restore(&self, endpoint: &str) -> bool {
        self.each(endpoint, |fleet, endpoint| fleet.restore(endpoint, clock::now()))
    }

    fn each(&self, name: &str, change: impl Fn(&Fleet, &Arc<Endpoint>) -> Option<Change>) -> bool {
        let fleet = &self.shared.fleet;
        let changes: Vec<_> =
            fleet.named(name).iter().filter_map(|endpoint| change(fleet, endpoint)).collect();
        let changed = !changes.is_empty();
        self.shared.tell(changes);
        changed
    }

    /// The settings.
    pub fn config(&self) -> Config {
        self.shared.fleet.config()
    }

    /// Changes the settings while calls flow. What was counted stays, and a new interval begins. Who is ejected
    /// stays so for as long as was said, unless fewer may be ejected now or the mode is another.
    ///
    /// ```
    /// use portcullis::{Outliers, balance::Config};
    ///
    /// let outliers = Outliers::new("inventory");
    /// outliers.reconfigure(Config { consecutive: Some(10), ..outliers.config() })?;
    /// let error = outliers.reconfigure(Config { panic_threshold: 2.0, ..outliers.config() }).unwrap_err();
    /// assert_eq!(error.to_string(), "outlier.panic_threshold is 2.0: allowed is 0.0 to 1.0");
    /// assert_eq!(outliers.config().consecutive, Some(10));
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first setting outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.shared.update(|_| config)
    }

    /// Says whether endpoints are ejected, or it is only told. All that are return.
    ///
    /// # Errors
    ///
    /// When the mode's percentage is more than 100.
    pub fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.shared.set_mode(mode)
    }

    /// Its last events, the youngest last; refusals are not among them.
    pub fn recent_events(&self) -> Vec<Event> {
        self.shared.emitter.recent()
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        let changes = self.fleet.update(change, clock::now())?;
        self.emitter.config_changed();
        self.tell(changes);
        self.waiters.wake_all();
        Ok(())
    }

    pub(super) fn name(&self) -> &Name {
        self.emitter.name()
    }

    /// Any 64 bits. Mixed, because those of a seed resemble those before them, and two of them make one choice.
    #[inline]
    pub(super) fn draw(&self) -> u64 {
        mixed(self.dice.draw())
    }

    /// A number of 0 to 1.
    fn lot(&self) -> f64 {
        // The 53 highest bits as a share of 1.
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Does what is due. At this time of day rather than at one that may be a tick late.
    pub(super) fn sweep(&self) {
        self.tell(self.fleet.sweep(clock::now(), || self.lot()));
    }

    /// Counts how a call on an endpoint ended.
    #[inline]
    pub(super) fn record(&self, endpoint: &Arc<Endpoint>, admitted: Admitted, verdict: &Verdict) {
        let change = self.fleet.record(endpoint, admitted, verdict, clock::now, || self.lot());
        if let Some(change) = change {
            self.tell(vec![change]);
        }
    }

    /// Tells what happened, and wakes who waits: there may be others to choose from.
    #[cold]
    #[inline(never)]
    pub(super) fn tell(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        self.waiters.wake_all();
        changes.into_iter().for_each(|change| self.emitter.endpoint_changed(change));
    }

    /// A refusal, because there is nobody to call.
    #[cold]
    pub(super) fn refuse(&self, endpoints: usize) -> Rejection {
        self.refused.fetch_add(1, Relaxed);
        let endpoints = u32::try_from(endpoints).unwrap_or(u32::MAX);
        let rejection = Rejection::new(self.name().clone(), Reason::NoEndpoint { endpoints });
        self.emitter.rejected(&rejection, true);
        rejection
    }
}

crate::registry::handle!(Outliers, Balance);
crate::registry::new_in!(Outliers);

impl fmt::Debug for Outliers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outliers").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn measure(&self, into: &mut dyn Measures) {
        measure::measure(self, into);
    }

    fn snapshot(&self) -> Snapshot {
        measure::snapshot(self)
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Reset, Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.fleet.config().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }

    /// All that are ejected return.
    fn reset(&self) {
        self.tell(self.fleet.restore_all(clock::now()));
    }

    fn save(&self, into: &mut Saved) {
        self.save_endpoints(into);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        self.resume_endpoints(from)
    }
}
