//! Load shedding in numbers.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use portcullis_core::{Mode, Overload, PolicyKind, Priority, health::Level, shed};

use super::policy::Shared;
use crate::{
    clock,
    metrics::{
        Measures,
        names::{
            CALLS, REJECTIONS, SHED_CUT, SHED_DELAY, SHED_IN_FLIGHT, SHED_LEVEL, SHED_LIMIT, SHED_PRESSURE,
        },
    },
    registry::Snapshot,
};

/// For so long after a call was refused it counts as shedding.
const LATELY: Duration = Duration::from_secs(1);

/// Load shedding at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoadShedStatus {
    /// Calls that are in flight; those that are exempt are not among them.
    pub in_flight: u32,
    /// How many calls of each class find in flight at most, the lowest class first; `None` without a limit.
    pub limits: Option<[u32; Priority::COUNT]>,
    /// The share of the calls that is refused, but for those for which too many were in flight.
    pub cut: f64,
    /// The lowest level that is admitted, 0 to 500; a hundred for each class. 0 admits all.
    pub level: u32,
    /// The shortest wait of the last interval; `None` while nobody looks.
    pub queue_delay: Option<Duration>,
    /// The pressure, smoothed, from 0 to 1; `None` while it is not known.
    pub pressure: Option<f64>,
    /// The signal because of which calls are refused, if there is one. Calls in flight are none of these.
    pub overload: Option<Overload>,
    /// Whether a call was refused within the last second, or would have been.
    pub shedding: bool,
    /// Whether anybody looks how long work waits and how busy the machine is.
    pub sampling: bool,
    /// Calls that were refused since it was built.
    pub rejected: u64,
    /// Calls that passed and would have been refused, because of the mode.
    pub bypassed: u64,
    /// Whether calls are refused, or only counted.
    pub mode: Mode,
}

/// Refusals by signal.
#[derive(Default)]
pub(super) struct Refusals([AtomicU64; SIGNALS.len()]);

const SIGNALS: [Overload; 4] =
    [Overload::InFlight, Overload::QueueDelay, Overload::Pressure, Overload::Priority];

impl Refusals {
    pub(super) fn count(&self, signal: Overload) {
        let at = SIGNALS.iter().position(|known| *known == signal).unwrap_or(0);
        self.0[at].fetch_add(1, Relaxed);
    }

    fn of(&self, at: usize) -> u64 {
        self.0[at].load(Relaxed)
    }

    fn total(&self) -> u64 {
        (0..SIGNALS.len()).map(|at| self.of(at)).sum()
    }
}

/// Everything there is to see.
pub(super) fn status(shared: &Shared) -> LoadShedStatus {
    let shed::Status { in_flight, limits, cut, level, delay, pressure, overload, .. } =
        shared.shedder.status();
    let refused_at = shared.refused_at.load(Relaxed);
    let lately = clock::now().as_millis().saturating_sub(refused_at) < LATELY.as_millis() as u64;
    LoadShedStatus {
        in_flight,
        limits,
        cut,
        level,
        queue_delay: delay,
        pressure,
        overload: overload.map(|cause| cause.signal),
        shedding: refused_at > 0 && lately,
        sampling: shared.sampler.is_running(),
        rejected: shared.rejected.total() + shared.emitter.refused_stopped(),
        bypassed: shared.bypassed.total(),
        mode: shared.shedder.mode(),
    }
}

/// What [`Policy::measure`](crate::registry::Policy::measure) tells of it.
pub(super) fn measure(shared: &Shared, into: &mut dyn Measures) {
    let kind = PolicyKind::LoadShed.as_str();
    let status = status(shared);
    into.counter(&CALLS, &[kind, "rejected"], status.rejected);
    for (at, signal) in SIGNALS.into_iter().enumerate() {
        into.counter(&REJECTIONS, &[kind, signal.as_str(), "enforced"], shared.rejected.of(at));
        into.counter(&REJECTIONS, &[kind, signal.as_str(), "shadow"], shared.bypassed.of(at));
    }
    into.counter(&REJECTIONS, &[kind, "stopped", "enforced"], shared.emitter.refused_stopped());
    into.gauge(&SHED_IN_FLIGHT, &[], f64::from(status.in_flight));
    if let Some([.., limit]) = status.limits {
        into.gauge(&SHED_LIMIT, &[], f64::from(limit));
    }
    into.gauge(&SHED_CUT, &[], status.cut);
    into.gauge(&SHED_LEVEL, &[], f64::from(status.level));
    if let Some(delay) = status.queue_delay {
        into.gauge(&SHED_DELAY, &[], delay.as_secs_f64());
    }
    if let Some(pressure) = status.pressure {
        into.gauge(&SHED_PRESSURE, &[], pressure);
    }
}

/// What [`Policy::snapshot`](crate::registry::Policy::snapshot) tells of it.
pub(super) fn snapshot(shared: &Shared) -> Snapshot {
    let status = status(shared);
    let sheds = status.shedding || status.overload.is_some();
    let mut values = vec![
        ("in_flight", status.in_flight.into()),
        ("cut", status.cut.into()),
        ("level", status.level.into()),
        ("rejected", status.rejected.into()),
        ("bypassed", status.bypassed.into()),
        ("mode", status.mode.as_str().into()),
    ];
    if let Some([.., limit]) = status.limits {
        values.push(("limit", limit.into()));
    }
    if let Some(delay) = status.queue_delay {
        values.push(("queue_delay_ms", (delay.as_secs_f64() * 1e3).into()));
    }
    if let Some(pressure) = status.pressure {
        values.push(("pressure", pressure.into()));
    }
    if let Some(signal) = status.overload {
        values.push(("overload", signal.as_str().into()));
    }
    Snapshot {
        name: shared.name().clone(),
        kind: PolicyKind::LoadShed,
        state: if sheds { "shedding" } else { "active" },
        level: if sheds { Level::Degraded } else { Level::Healthy },
        values,
    }
}
