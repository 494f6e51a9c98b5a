//! Who is called at each event.

use std::{
    cell::RefCell,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use super::{Event, hub::Inner};

/// Which events a listener is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Interest {
    /// Changes of state and of settings: what is rare. Not refusals, retries and hedges, which come with
    /// single calls; they then cost no more than if nobody listened.
    Changes,
    /// All: what comes with single calls too, such as [`Retry`](super::EventKind::Retry).
    All,
}

pub(super) struct Listener {
    interest: Interest,
    /// Whether it is still to be called.
    active: AtomicBool,
    call: Box<dyn Fn(&Event) + Send + Sync>,
}

/// How often a listener hears, while it is called for one event, of what comes of its own doing.
///
/// Few that answer changes by changes come to an end later than this; and one that comes to none goes no deeper, so that it
/// needs less than any thread's stack.
const MOST_OF_ITS_OWN: u32 = 32;

thread_local! {
    /// The listeners that are called on this thread, and how often each heard of its own doing.
    static CALLED: RefCell<Vec<(usize, u32)>> = const { RefCell::new(Vec::new()) };
}

impl Listener {
    /// Calls it, unless it goes round in circles; whether that went without a panic.
    fn tell(&self, event: &Event) -> bool {
        let own = std::ptr::from_ref(self).addr();
        match CALLED.try_with(|called| enter(&mut called.borrow_mut(), own)) {
            Ok(None) => true,
            Ok(Some(depth)) => {
                let went_well = self.call(event);
                let _ = CALLED.try_with(|called| called.borrow_mut().truncate(depth));
                went_well
            }
            // The thread is ending, and has no memory any more.
            Err(_) => self.call(event),
        }
    }

    fn call(&self, event: &Event) -> bool {
        // It is never called again after a panic, so that nobody sees what the panic left unfinished.
        catch_unwind(AssertUnwindSafe(|| (self.call)(event))).is_ok()
    }
}

/// How many were under way before it, if it is to be called.
fn enter(called: &mut Vec<(usize, u32)>, listener: usize) -> Option<usize> {
    let depth = called.len();
    match called.iter_mut().find(|(other, _)| *other == listener) {
        None => called.push((listener, 0)),
        Some((_, times)) if *times < MOST_OF_ITS_OWN => *times += 1,
        Some(_) => return None,
    }
    Some(depth)
}

/// The listeners of a hub. The list is replaced and never changed, so that it is read without a lock held.
#[derive(Default)]
pub(super) struct Listeners(RwLock<Arc<[Arc<Listener>]>>);

impl Listeners {
    pub(super) fn add(
        &self,
        interest: Interest,
        call: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Arc<Listener> {
        let listener = Arc::new(Listener { interest, active: AtomicBool::new(true), call: Box::new(call) });
        self.replace(|list| list.iter().chain([&listener]).cloned().collect());
        listener
    }

    /// Calls everybody who is interested. Returns those who panicked.
    pub(super) fn tell(&self, event: &Event, frequent: bool) -> Vec<Arc<Listener>> {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let interested = list.iter().filter(|listener| !frequent || listener.interest == Interest::All);
        interested
            // Asked right before each call: the one before may have unsubscribed the next.
            .filter(|listener| listener.active.load(Relaxed) && !listener.tell(event))
            .cloned()
            .collect()
    }

    /// Whether it was there. It may be under way on another thread.
    fn remove(&self, gone: &Arc<Listener>) -> bool {
        self.replace(|list| list.iter().filter(|listener| !Arc::ptr_eq(listener, gone)).cloned().collect());
        gone.active.swap(false, Relaxed)
    }

    fn replace(&self, with: impl FnOnce(&[Arc<Listener>]) -> Arc<[Arc<Listener>]>) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::take(&mut *list);
        *list = with(&old);
        drop(list);
        // Here, outside of the lock: what a listener holds may do anything when it is dropped.
        drop(old);
    }
}

impl Inner {
    /// Ends a listener. It may be ended already.
    pub(super) fn silence(&self, listener: &Arc<Listener>) {
        if self.listeners.remove(listener) && listener.interest == Interest::All {
            self.leave_audience();
        }
    }
}

/// A listener's place in a hub: dropped, the listener is called no more.
///
/// A call that is under way on another thread at that moment still ends.
#[must_use = "dropped, it ends the subscription"]
pub struct Subscription {
    hub: Weak<Inner>,
    listener: Arc<Listener>,
}

impl Subscription {
    pub(super) fn new(hub: Weak<Inner>, listener: Arc<Listener>) -> Self {
        Self { hub, listener }
    }

    /// Whether the listener is still called: one that panicked is not.
    pub fn is_active(&self) -> bool {
        self.listener.active.load(Relaxed) && self.hub.strong_count() > 0
    }

    /// Leaves the listener in place for as long as the hub lives.
    pub fn detach(mut self) {
        self.hub = Weak::new();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            hub.silence(&self.listener);
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("interest", &self.listener.interest)
            .field("active", &self.is_active())
            .finish()
    }
}
