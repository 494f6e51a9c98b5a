//! What load shedding can be told.

use std::{fmt, sync::Arc, time::Duration};

use super::gate::UNLIMITED;
use crate::{ConfigError, Mode, Priority, check_range};

/// The most that a limit on calls in flight can be.
pub const MAX_CALLS: u32 = 1_000_000;
/// What calls of each class find of a limit, the lowest first. Those that say nothing are
/// [normal](Priority::Normal), and leave a fifth of it to those that matter more.
pub const DEFAULT_SHARES: [f64; Priority::COUNT] = [0.5, 0.65, 0.8, 0.9, 1.0];
/// As long as calls may wait on a healthy service (DAGOR's value); far more than a runtime with time to spare is
/// late, and less than a person notices.
pub const DEFAULT_TARGET: Duration = Duration::from_millis(20);
/// Longer than a burst, and short enough to react within a second (CoDel's value).
pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(100);
/// After the pressure was too high, it takes a while to see what that changed (kratos' value).
pub const DEFAULT_COOLING: Duration = Duration::from_secs(1);
/// Of fifty calls one is served, whatever comes: no class is shut out when there is no other, and it is seen when
/// the overload is over.
pub const DEFAULT_MAX_CUT: f64 = 0.98;
/// Overloads of a second or two are the most frequent; one that lasts is asked again by few.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(2);
/// How often the pressure is looked at (kratos' value).
pub const PRESSURE_INTERVAL: Duration = Duration::from_millis(500);

const HOUR: Duration = Duration::from_secs(3600);
const MILLI: Duration = Duration::from_millis(1);

/// The rules of load shedding. Several signals together: the first over its limit refuses.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Calls in flight (default: any number); 1 to 1,000,000. A call counts until its response's body ends.
    pub max_in_flight: Option<u32>,
    /// The share of `max_in_flight` that calls of each class may find taken, by the class's number (default
    /// 0.5, 0.65, 0.8, 0.9 and 1); 0.01 to 1, and no class less than the one below it. At least one call is
    /// let in.
    pub shares: [f64; Priority::COUNT],
    /// How long calls may wait before anything is done for them (default 20 ms in 100 ms).
    pub queue_delay: Option<QueueDelay>,
    /// How busy the machine may be (default: not looked at).
    pub pressure: Option<Pressure>,
    /// The share of the calls that is refused in any case, the lowest levels first (default 0); 0 to `max_cut`.
    /// For who knows better than the signals: an operator in an incident, or a controller of one's own.
    pub cut: f64,
    /// The largest share of the calls that is refused because of waits or pressure (default 0.98); 0.05 to
    /// 0.999.
    pub max_cut: f64,
    /// When refused calls are told to come again, at the latest (default 2 s); 1 ms to 1 h. Each is told a
    /// time between half of this and this, by lot, so that they do not come again together. Without it none
    /// is told.
    pub retry_after: Option<Duration>,
    /// Whether calls are refused, or only counted (default: refused). In [shadow](Mode::Shadow) the load does
    /// not fall by what is only counted, and so more is counted than would be refused.
    pub mode: Mode,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_in_flight: None,
            shares: DEFAULT_SHARES,
            queue_delay: Some(QueueDelay::default()),
            pressure: None,
            cut: 0.0,
            max_cut: DEFAULT_MAX_CUT,
            retry_after: Some(DEFAULT_RETRY_AFTER),
            mode: Mode::Enforce,
        }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some(calls) = self.max_in_flight {
            check_range("load_shed.max_in_flight", calls, 1..=MAX_CALLS)?;
        }
        self.check_shares()?;
        self.queue_delay.map_or(Ok(()), |delay| delay.check())?;
        self.pressure.as_ref().map_or(Ok(()), Pressure::check)?;
        check_range("load_shed.max_cut", self.max_cut, 0.05..=0.999)?;
        check_range("load_shed.cut", self.cut, 0.0..=self.max_cut)?;
        if let Some(after) = self.retry_after {
            check_range("load_shed.retry_after", after, MILLI..=HOUR)?;
        }
        self.mode.check("load_shed.mode.enforce_percent")
    }

    fn check_shares(&self) -> Result<(), ConfigError> {
        let mut least = 0.01;
        for share in self.shares {
            check_range("load_shed.shares", share, least..=1.0)?;
            least = share;
        }
        Ok(())
    }

    /// How many in flight calls of each class may find.
    pub(super) fn limits(&self) -> [u32; Priority::COUNT] {
        match self.max_in_flight {
            Some(calls) if self.mode != Mode::Disabled => {
                self.shares.map(|share| ((share * f64::from(calls)).round() as u32).max(1))
            }
            _ => [UNLIMITED; Priority::COUNT],
        }
    }

    /// Whether anything has to be looked at again and again.
    pub(super) fn watches(&self) -> bool {
        let signals = self.queue_delay.is_some() || self.pressure.is_some() || self.cut > 0.0;
        signals && self.mode != Mode::Disabled
    }

    /// In how long the share that is refused is set anew.
    pub(super) fn interval(&self) -> Duration {
        self.queue_delay.map_or(DEFAULT_INTERVAL, |delay| delay.interval)
    }
}

/// How long calls may wait before anything is done for them.
///
/// The shortest wait of an interval tells, as with CoDel: bursts are absorbed, and a queue that stands is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueDelay {
    /// The shortest wait of an interval that is still fine (default 20 ms); 1 ms to 1 min.
    pub target: Duration,
    /// For how long the shortest wait is looked for (default 100 ms); 10 ms to 1 min, and at least the target.
    pub interval: Duration,
}

impl Default for QueueDelay {
    fn default() -> Self {
        Self { target: DEFAULT_TARGET, interval: DEFAULT_INTERVAL }
    }
}

impl QueueDelay {
    fn check(&self) -> Result<(), ConfigError> {
        let longest = Duration::from_secs(60);
        check_range("load_shed.queue_delay.target", self.target, MILLI..=longest)?;
        let shortest = self.target.max(10 * MILLI);
        check_range("load_shed.queue_delay.interval", self.interval, shortest..=longest)
    }
}

/// How busy the machine may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Pressure {
    /// The share that is still fine; 0.01 to 1.
    pub limit: f64,
    /// What is measured (default: the processor time of this process).
    pub source: PressureSource,
    /// For how long after the pressure was too high no more calls are let in than then (default 1 s); 0 to
    /// 1 min.
    pub cooling: Duration,
}

impl Pressure {
    /// This share of the processor time.
    pub fn of_cpu(limit: f64) -> Self {
        Self { limit, source: PressureSource::Cpu, cooling: DEFAULT_COOLING }
    }

    /// This share of what a function says.
    ///
    /// ```
    /// # extern crate portcullis_core as portcullis;
    /// use portcullis::shed::Pressure;
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    ///
    /// static BUSY_WORKERS: AtomicU32 = AtomicU32::new(0);
    ///
    /// let pressure = Pressure::of(0.8, || Some(f64::from(BUSY_WORKERS.load(Relaxed)) / 64.0));
    /// # let _ = pressure;
    /// ```
    pub fn of(limit: f64, measure: impl Fn() -> Option<f64> + Send + Sync + 'static) -> Self {
        let source = PressureSource::Function(PressureFn(Arc::new(measure)));
        Self { limit, source, cooling: DEFAULT_COOLING }
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_range("load_shed.pressure.limit", self.limit, 0.01..=1.0)?;
        check_range("load_shed.pressure.cooling", self.cooling, Duration::ZERO..=Duration::from_secs(60))
    }
}

/// What says how busy the machine is. It is looked at every 500 ms, and smoothed: a value counts for 0.3 of the
/// result, what was before for 0.7, which follows a change within about a second and a half.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum PressureSource {
    /// The processor time that this process takes, as a share of all processors that it may use. Linux and
    /// Android.
    #[default]
    Cpu,
    /// The share of the time in which something that could run waits for a processor, as the kernel counts it
    /// for the control group of this process (`cpu.pressure`), or else for the machine
    /// (`/proc/pressure/cpu`). It sees the neighbours on the machine, and a quota that is used up. Linux from
    /// 4.20.
    CpuStalls,
    /// A function, which gives a share from 0 to 1. When it gives none, or panics, nothing is known, and nothing
    /// is refused. It is called where it may block.
    Function(PressureFn),
}

/// Pressure as a function; see [`Pressure::of`].
#[derive(Clone)]
pub struct PressureFn(Arc<dyn Fn() -> Option<f64> + Send + Sync>);

impl PressureFn {
    /// What it says now.
    pub fn measure(&self) -> Option<f64> {
        (self.0)()
    }
}

/// The same function, not one that does the same.
impl PartialEq for PressureFn {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for PressureFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PressureFn").finish_non_exhaustive()
    }
}
