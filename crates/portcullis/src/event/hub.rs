//! Where events go.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{
            AtomicU64, AtomicUsize,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
    },
};

use portcullis_core::{Name, PolicyKind};
use tokio::sync::broadcast;

use super::{
    Audit, Emitter, Event, EventKind, EventStream, Interest, Subscription, listener::Listeners, ring::Ring,
};
use crate::clock;

/// How many events a hub keeps: enough for every policy of a service to change a few times, in less than
/// 64 kilobytes.
pub const KEPT: usize = 256;

/// How far behind the reader of a stream may be. At a thousand refusals a second this is one second, and
/// it takes about 200 kilobytes of a hub with a stream.
pub const STREAM_BUFFER: usize = 1024;

/// Where the policies of one registry tell what happens: a cheap handle. See [`crate::event`].
#[derive(Clone, Default)]
pub struct Hub(Arc<Inner>);

#[derive(Default)]
pub(super) struct Inner {
    /// How many hear everything. Without any, what is frequent is not even put together.
    audience: AtomicUsize,
    seq: AtomicU64,
    pub(super) listeners: Listeners,
    /// Made for the first reader: the buffer is not small.
    stream: OnceLock<broadcast::Sender<Event>>,
    kept: Mutex<Option<Ring>>,
    /// Lost events by subscriber. The names are words of the program, so they are not many.
    lost: Mutex<BTreeMap<&'static str, Arc<AtomicU64>>>,
}

impl Hub {
    /// Calls `listener` at every event of this interest, until the subscription is dropped.
    ///
    /// It is called on the thread on which the event happens, with no lock held: it may call every method
    /// of every policy and of this hub. It should be quick, since a call waits for it, and what it changes
    /// is told in its turn before it returns.
    ///
    /// It hears of what it does itself, too, and so one that answers each change by another would never come to an end:
    /// while it is called for one event it is called at most 32 times for what comes of its own doing. All others hear of
    /// it, it is kept, and streams have it.
    ///
    /// A listener that panics is not called again, and nobody else notices: neither the policy nor other
    /// listeners. The panic is reported by the panic hook as any other, and
    /// [`Subscription::is_active`] tells.
    pub fn listen(
        &self,
        interest: Interest,
        listener: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Subscription {
        // First, because from the next step on it may be called, panic, and leave.
        if interest == Interest::All {
            self.0.audience.fetch_add(1, AcqRel);
        }
        let listener = self.0.listeners.add(interest, listener);
        Subscription::new(Arc::downgrade(&self.0), listener)
    }

    /// Every event from now on, to be read by a task. What is lost by readers too slow is counted under
    /// the name of the `subscriber`.
    pub fn subscribe(&self, subscriber: &'static str) -> EventStream {
        let stream = self.0.stream.get_or_init(|| broadcast::Sender::new(STREAM_BUFFER)).subscribe();
        let lost = lock(&self.0.lost).entry(subscriber).or_default().clone();
        self.0.audience.fetch_add(1, AcqRel);
        EventStream::new(stream, lost, Arc::downgrade(&self.0))
    }

    /// The last [`KEPT`] events, the youngest last. What comes with single calls is not kept, such as refusals,
    /// retries, hedges, fallbacks and faults: in an outage they would push out what tells how it began.
    ///
    /// Who subscribes first and then reads this misses nothing, and knows by [`Event::seq`] what comes
    /// twice.
    pub fn recent(&self) -> Vec<Event> {
        lock(&self.0.kept).as_ref().map(Ring::to_vec).unwrap_or_default()
    }

    /// How many events the readers of streams have lost, by subscriber.
    pub fn lost(&self) -> Vec<(&'static str, u64)> {
        lock(&self.0.lost).iter().map(|(&name, lost)| (name, lost.load(Relaxed))).collect()
    }

    /// Whether anybody hears what is frequent.
    #[inline]
    pub(super) fn has_audience(&self) -> bool {
        self.0.audience.load(Relaxed) > 0
    }

    /// Gives the event its number, and keeps it unless it is frequent. Whoever subscribed before reading
    /// what is kept has it from there or will get it told, because it is told later.
    pub(super) fn keep(&self, mut event: Event) -> Event {
        if is_frequent(&event) {
            event.seq = self.0.next();
            return event;
        }
        let mut kept = lock(&self.0.kept);
        event.seq = self.0.next();
        kept.get_or_insert_with(|| Ring::new(KEPT)).push(event.clone());
        event
    }

    /// Tells what somebody did to the policies of this kind and name, which keep it too.
    pub(crate) fn audit(&self, kind: PolicyKind, policy: Name, audit: Audit, of: &[&Emitter]) {
        let what = EventKind::Audit(audit);
        let event = self.keep(Event { seq: 0, policy, kind, at: clock::now(), what });
        of.iter().for_each(|emitter| emitter.keep(event.clone()));
        self.tell(&event);
    }

    /// Tells everybody. The caller holds no lock.
    pub(super) fn tell(&self, event: &Event) {
        if let Some(stream) = self.0.stream.get() {
            // An error says that there is no reader at the moment.
            let _ = stream.send(event.clone());
        }
        for panicked in self.0.listeners.tell(event, is_frequent(event)) {
            self.0.silence(&panicked);
        }
    }
}

impl Inner {
    fn next(&self) -> u64 {
        self.seq.fetch_add(1, Relaxed) + 1
    }

    pub(super) fn leave_audience(&self) {
        let before = self.audience.fetch_sub(1, AcqRel);
        debug_assert!(before > 0, "left twice");
    }
}

fn is_frequent(event: &Event) -> bool {
    match event.what {
        EventKind::Rejected { .. } | EventKind::Retry { .. } => true,
        EventKind::Retried(_) | EventKind::Hedge { .. } | EventKind::Fallback { .. } => true,
        EventKind::Injected { .. } | EventKind::Panicked { .. } | EventKind::Promoted { .. } => true,
        EventKind::LimitChanged { .. } => true,
        EventKind::StateChange(_)
        | EventKind::Endpoint(_)
        | EventKind::Connection { .. }
        | EventKind::OverloadChanged { .. }
        | EventKind::DrainChanged { .. }
        | EventKind::HealthChanged { .. }
        | EventKind::Stopped { .. }
        | EventKind::Released
        | EventKind::Audit(_)
        | EventKind::ConfigChanged => false,
    }
}

/// Nothing that panics is ever done under these locks.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("told", &self.0.seq.load(Relaxed))
            .field("audience", &self.0.audience.load(Acquire))
            .finish_non_exhaustive()
    }
}
