//! A paused clock, while there is work on other threads.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    task::{Context, Poll, Wake, Waker},
};

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::clock;

/// Keeps the clock of a call's runtime, if it is paused, from going on by itself while the call's work runs on
/// a thread, as it does not go on while one of the runtime's own threads blocks. For tests alone: in a build
/// where the clock cannot be paused, this is nothing.
///
/// A future that waits does not hold it: what it waits for may be the time.
#[derive(Clone)]
pub(super) struct Held(Option<Arc<Turn>>);

struct Turn {
    runtime: Handle,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    hold: Option<Hold>,
    /// Of the thread, which may be asleep.
    waker: Option<Waker>,
    /// Since it was last polled.
    woken: bool,
    /// Nobody will let go any more.
    over: bool,
}

/// Holds the clock until it is dropped.
type Hold = mpsc::Sender<Infallible>;

impl Held {
    /// Held, if there is a clock to hold.
    pub(super) fn new(runtime: Option<&Handle>) -> Self {
        // Only runtimes of one thread can be paused.
        let can_pause = |handle: &&Handle| {
            clock::is_pausable() && handle.runtime_flavor() == RuntimeFlavor::CurrentThread
        };
        Self(runtime.filter(can_pause).map(|handle| {
            let state = State { hold: Some(hold(handle)), woken: true, ..State::default() };
            Arc::new(Turn { runtime: handle.clone(), state: Mutex::new(state) })
        }))
    }

    /// Polls; the clock is let go when that is pending, until the waker is called.
    pub(super) fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let Some(turn) = &self.0 else { return poll(cx) };
        {
            let mut state = turn.lock();
            state.woken = false;
            state.waker = Some(cx.waker().clone());
        }
        let result = poll(&mut Context::from_waker(&Waker::from(turn.clone())));
        if result.is_pending() {
            let mut state = turn.lock();
            if !state.woken {
                let hold = state.hold.take();
                drop(state);
                drop(hold);
            }
        }
        result
    }

    /// Lets go for good.
    pub(super) fn end(self) {
        if let Some(turn) = &self.0 {
            let mut state = turn.lock();
            state.over = true;
            let left = (state.hold.take(), state.waker.take());
            drop(state);
            drop(left);
        }
    }
}

impl Turn {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.over {
            return;
        }
        state.woken = true;
        if state.hold.is_none() {
            state.hold = Some(hold(&self.runtime));
        }
        let waker = state.waker.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A blocking task of the runtime holds its clock.
fn hold(runtime: &Handle) -> Hold {
    let (hold, held) = mpsc::channel();
    drop(runtime.spawn_blocking(move || held.recv()));
    hold
}
