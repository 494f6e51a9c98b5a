//! One timer of the runtime for all calls of a policy that wait for much the same time.
//!
//! To enter each call into the runtime's own timers costs most of what a call that is pending once costs, and a
//! hundred bytes of its future. So the calls of a thread's shard stand in a [`Line`], and the runtime has one timer
//! of them, for who is over first. It goes off now and then for a call that is long done, and is then set for who
//! is first by then. It is for waits that nearly always end before their time, as timeouts and the delays of hedges; what
//! is waited for to the end, as a backoff, is better off with a timer of its own.
//!
//! The timer is woken as a task would be, but there is no task: [`Bell`] wakes those whose time is over from where
//! the runtime's timers are run. So nobody has to be polled, or to live, for others to be woken.
//!
//! # Runtimes
//!
//! A timer is one runtime's, and goes off only while that runs. So a line is of calls of one runtime at a time:
//! that whose call came when nobody stood in it. Calls of others have timers of their own meanwhile. A runtime that
//! ends sets off its timers; whoever still stands in the line is woken then, and has to look for itself.
//!
//! # Locks
//!
//! Nothing of the callers' runs under the line's lock: neither their wakers' clones and drops, nor what these wake. The
//! runtime's timer is set under it, and that wakes nobody: one that was never polled has no waker, nor has one that
//! went off.

mod line;
mod lines;
mod timer;

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Wake, Waker},
};

use portcullis_core::Time;
use tokio::{
    runtime::{Handle, Id},
    time::Sleep,
};

pub(crate) use self::{
    lines::{Lines, Slot},
    timer::Timer,
};

use self::line::{Line, Place};
use crate::clock;

/// So many are woken at a time: meanwhile others may enter and leave.
const WOKEN: usize = 32;

/// A line, and its timer.
pub(crate) struct Alarm {
    inner: Mutex<Inner>,
    bell: Waker,
}

struct Inner {
    line: Line<Waker>,
    /// For no later than the first of the line, if there is one; also for a while when there is none.
    set: Option<Set>,
    /// Kept for the next time that it is set.
    timer: Pin<Box<Option<Sleep>>>,
}

/// How the timer is set.
struct Set {
    runtime: Handle,
    id: Id,
    at: Time,
}

/// Who is woken when the timer goes off. It must not keep the line alive, which has it.
struct Bell(Weak<Alarm>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if let Some(alarm) = self.0.upgrade() {
            alarm.ring();
        }
    }
}

impl Alarm {
    fn new() -> Arc<Self> {
        Arc::new_cyclic(|alarm| {
            let inner = Inner { line: Line::new(), set: None, timer: Box::pin(None) };
            Self { inner: Mutex::new(inner), bell: Waker::from(Arc::new(Bell(alarm.clone()))) }
        })
    }

    /// Has somebody woken then, who may be dropped whenever it likes once it [left](Self::leave). `None` if it has to
    /// have a timer of its own.
    fn enter(&self, over: Time, waker: &Waker) -> Option<Place> {
        let runtime = Handle::try_current().ok()?;
        // Before the lock, and so is it dropped after it.
        let waker = waker.clone();
        let mut inner = self.lock();
        if !inner.is_for(runtime.id()) {
            return None;
        }
        let is_first = inner.set.as_ref().is_none_or(|set| over < set.at);
        let rings = is_first && inner.set(runtime, over, &self.bell);
        let place = inner.line.enter(over, waker);
        drop(inner);
        if rings {
            self.ring();
        }
        place.ok()
    }

    /// Whether who stands here was called; if not, this is woken when it is.
    fn is_called(&self, place: &Place, waker: &Waker) -> bool {
        match self.lock().line.at(place) {
            None => return true,
            Some(wakes) if wakes.will_wake(waker) => return false,
            Some(_) => {}
        }
        let mut waker = waker.clone();
        let mut inner = self.lock();
        let waits = inner.line.at(place).map(|wakes| std::mem::swap(wakes, &mut waker));
        drop(inner);
        waits.is_none()
    }

    /// Who stands here is not woken any more.
    fn leave(&self, place: Place) {
        let mut inner = self.lock();
        let waker = inner.line.leave(place);
        // A clock that is paused would be moved on to a timer that nobody needs.
        if clock::is_pausable() && inner.line.is_empty() {
            inner.unset();
        }
        drop(inner);
        drop(waker);
    }

    /// Wakes all whose time is over.
    fn ring(&self) {
        while let Some(woken) = self.woken() {
            woken.into_iter().for_each(Waker::wake);
        }
    }

    /// Some of those whose time is over. Nothing when the timer is set for the next.
    fn woken(&self) -> Option<Vec<Waker>> {
        let mut inner = self.lock();
        let runtime = inner.set.as_ref()?.runtime.clone();
        // Who ends a runtime, and its timers, may be in another, or in none.
        let _entered = runtime.enter();
        let now = clock::now();
        let woken: Vec<_> = std::iter::from_fn(|| inner.line.call(now)).take(WOKEN).collect();
        if woken.is_empty() { inner.set_next(&self.bell) } else { Some(woken) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether calls of this runtime may stand in the line.
    fn is_for(&mut self, id: Id) -> bool {
        let is_for = self.set.as_ref().is_none_or(|set| set.id == id);
        if !is_for && self.line.is_empty() {
            self.unset();
            return true;
        }
        is_for
    }

    /// Sets the timer of the runtime that was entered; whether it went off at once.
    fn set(&mut self, runtime: Handle, at: Time, bell: &Waker) -> bool {
        // Not set while what follows could panic, in a runtime that has ended; who waits is not forgotten then.
        self.set = None;
        let at = self.line.over().map_or(at, |first| first.min(at));
        // Another one: to set the same again could wake, if it was polled before.
        self.timer.set(Some(tokio::time::sleep_until(clock::instant(at))));
        let rings = self.went_off(bell);
        self.set = Some(Set { id: runtime.id(), runtime, at });
        rings
    }

    /// Sets the timer that went off for who is first now. If it cannot be: who is to be woken at once, or nobody if
    /// that has to be found out.
    fn set_next(&mut self, bell: &Waker) -> Option<Vec<Waker>> {
        let Some(at) = self.line.over() else {
            self.unset();
            return None;
        };
        let mut timer = self.timer.as_mut().as_pin_mut()?;
        if !timer.is_elapsed() {
            // Somebody set it since it was to ring.
            return None;
        }
        timer.as_mut().reset(clock::instant(at));
        if !timer.is_elapsed() {
            if let Some(set) = &mut self.set {
                set.at = at;
            }
            return if self.went_off(bell) { Some(Vec::new()) } else { None };
        }
        if at <= clock::now() {
            return Some(Vec::new());
        }
        // Of a runtime that has ended. To poll it would panic.
        self.unset();
        Some(std::iter::from_fn(|| self.line.call(Time::from_nanos(u64::MAX))).collect())
    }

    /// Has the bell rung when the timer goes off, if it has not yet.
    fn went_off(&mut self, bell: &Waker) -> bool {
        let Some(timer) = self.timer.as_mut().as_pin_mut() else { return false };
        // Whoever comes here has polled enough, or nothing.
        let timer = pin!(tokio::task::unconstrained(timer));
        timer.poll(&mut Context::from_waker(bell)).is_ready()
    }

    fn unset(&mut self) {
        self.timer.set(None);
        self.set = None;
    }
}
