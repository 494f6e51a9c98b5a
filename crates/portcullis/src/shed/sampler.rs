//! The task that looks how late the runtime is, and how busy the machine.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{
            AtomicBool,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};

use portcullis_core::{
    Time,
    shed::{PRESSURE_INTERVAL, PressureSource, Shedder},
};
use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinHandle},
};

use super::{policy::Shared, pressure::Gauge};
use crate::{clock, late};

/// Looks in an interval: enough for a shortest wait to mean something.
const LOOKS: u32 = 10;
/// A look is no rarer than this, whatever the interval.
const RAREST: Duration = Duration::from_millis(100);
/// How often it is asked whether calls come.
const TURN: Duration = Duration::from_secs(1);
/// After so many turns without a call the task rests.
const QUIET_TURNS: u32 = 10;

/// Whether the task runs.
pub(super) struct Sampler {
    /// The next call is to say that it came: either nothing runs, or it is to be known whether calls come.
    asleep: AtomicBool,
    task: Mutex<Option<Task>>,
}

/// The task that was spawned last.
struct Task {
    handle: AbortHandle,
    /// It looks no more, though it may not be finished yet.
    over: Arc<AtomicBool>,
}

impl Sampler {
    pub(super) fn new(wanted: bool) -> Self {
        Self { asleep: AtomicBool::new(wanted), task: Mutex::new(None) }
    }

    /// Whether the next call must [wake](wake) it.
    #[inline(always)]
    pub(super) fn is_asleep(&self) -> bool {
        self.asleep.load(Relaxed)
    }

    /// Other settings: lets the next call wake it, if there is something to look at now.
    pub(super) fn rouse(&self, shedder: &Shedder) {
        let task = self.task();
        // Under the lock, or what was found before another change could stay.
        self.asleep.store(shedder.wants_samples(), Relaxed);
        drop(task);
    }

    /// Whether it runs.
    pub(super) fn is_running(&self) -> bool {
        is_running(&self.task())
    }

    fn task(&self) -> MutexGuard<'_, Option<Task>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No call came for a while: rests, unless one comes just now. Who wakes it says so before it takes the lock,
    /// and so either sees that nothing runs, or is seen here.
    fn rests(&self) -> bool {
        let mut task = self.task();
        let rests = self.is_asleep();
        if rests {
            *task = None;
        }
        rests
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        if let Some(task) = self.task().take() {
            task.handle.abort();
        }
    }
}

/// A task is also over when its runtime is.
fn is_running(task: &Option<Task>) -> bool {
    task.as_ref().is_some_and(|task| !task.over.load(Acquire) && !task.handle.is_finished())
}

/// A call came: starts the task, unless it runs. Outside a runtime nothing happens, and the next call tries again.
pub(super) fn wake(shared: &Arc<Shared>) {
    // What the one that ended has done is seen by whoever takes its word that it is over.
    shared.sampler.asleep.swap(false, AcqRel);
    let mut task = shared.sampler.task();
    if is_running(&task) || !shared.shedder.wants_samples() {
        return;
    }
    match Handle::try_current() {
        Ok(runtime) => {
            let over = Arc::new(AtomicBool::new(false));
            let end = End { shared: Arc::downgrade(shared), over: over.clone() };
            *task = Some(Task { handle: runtime.spawn(run(end)).abort_handle(), over });
        }
        Err(_) => shared.sampler.asleep.store(true, Relaxed),
    }
}

/// Looks again and again, until the policy is dropped, or no calls come.
async fn run(end: End) {
    let shared = &end.shared;
    let mut looks = Looks::new();
    loop {
        let Some((tick, due)) = shared.upgrade().and_then(|shared| looks.plan(&shared)) else { return };
        let now = late::look(tick).await;
        let pressure = looks.pressure(now, shared).await;
        let Some(shared) = shared.upgrade() else { return };
        if let Some(pressure) = pressure {
            shared.shedder.pressure(pressure, now);
        }
        if let Some(change) = shared.shedder.sample(Some(now.since(due)), now) {
            shared.tell(change);
        }
    }
}

/// However the task ends, nothing is left of what it measured; also where its runtime ended before it began.
struct End {
    shared: Weak<Shared>,
    over: Arc<AtomicBool>,
}

impl Drop for End {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let ended = shared.shedder.rest();
        // Before the next call is to wake another: it must not take this one for one that runs.
        self.over.store(true, Release);
        // A runtime without timers would panic each time.
        if !std::thread::panicking() {
            shared.sampler.asleep.store(true, Release);
        }
        if let Some(change) = ended {
            shared.tell(change);
        }
    }
}

/// What the task knows between two looks.
struct Looks {
    /// When it is asked next whether calls come.
    turn: Time,
    quiet: u32,
    /// When the pressure is looked at next.
    pressure_due: Time,
    gauge: Option<Gauge>,
    reading: Option<JoinHandle<(Gauge, Option<f64>)>>,
}

impl Looks {
    fn new() -> Self {
        let now = clock::now();
        Self { turn: now + TURN, quiet: 0, pressure_due: now, gauge: None, reading: None }
    }

    /// In how long the next look is, and when; `None` when there is to be none.
    fn plan(&mut self, shared: &Shared) -> Option<(Duration, Time)> {
        if !shared.shedder.wants_samples() {
            return None;
        }
        let now = clock::now();
        if now >= self.turn {
            self.turn = now + TURN;
            // A call that came since the last turn has said so.
            self.quiet = if shared.sampler.is_asleep() { self.quiet + 1 } else { 0 };
            if self.quiet >= QUIET_TURNS && shared.sampler.rests() {
                return None;
            }
            shared.sampler.asleep.store(true, Relaxed);
        }
        let tick = (shared.shedder.interval() / LOOKS).min(RAREST);
        let due = now + tick;
        shared.shedder.expect(due);
        Some((tick, due))
    }

    /// The pressure, when a look at it is over; begins one when it is time. Where it may block, on threads for
    /// that.
    async fn pressure(&mut self, now: Time, shared: &Weak<Shared>) -> Option<Option<f64>> {
        let mut seen = None;
        if let Some(reading) = self.reading.take_if(|reading| reading.is_finished()) {
            let (gauge, share) = reading.await.map_or((None, None), |(gauge, share)| (Some(gauge), share));
            self.gauge = gauge;
            // The first look at what is counted up says nothing yet.
            seen = Some(share);
        }
        if now >= self.pressure_due && self.reading.is_none() {
            self.pressure_due = now + PRESSURE_INTERVAL;
            let source = shared.upgrade().and_then(|shared| shared.shedder.pressure_source());
            self.reading = source.map(|source| self.read(source, now));
        }
        seen
    }

    fn read(&mut self, source: PressureSource, now: Time) -> JoinHandle<(Gauge, Option<f64>)> {
        let mut gauge = self.gauge.take().unwrap_or_default();
        tokio::task::spawn_blocking(move || {
            let share = gauge.read(&source, now);
            (gauge, share)
        })
    }
}
