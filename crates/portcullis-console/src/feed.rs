//! The events that streams are made of: numbered, kept for those who come back, and put into JSON once for all who read.
//!
//! Not the registry's own [stream](portcullis::event::EventStream): that has every single refusal, thousands a second in an
//! outage, for each who reads it. Here what comes with single calls is thinned out before anybody is woken for it.

use std::{
    collections::VecDeque,
    fmt::Write,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Relaxed},
        },
    },
};

use portcullis::{
    Time,
    event::{Event, EventKind},
};
use tokio::sync::broadcast;

use crate::json::event::EventView;

/// How many events are kept for who comes back: a minute of an outage in which much is refused.
const KEPT: usize = 1024;
/// How far a reader may be behind.
const BUFFER: usize = 512;
/// What comes with single calls is told this often, of all policies together: more than that nobody can read.
const FREQUENT_EVERY_NANOS: u64 = 50_000_000;

/// An event with its number.
#[derive(Debug)]
pub(crate) struct Frame {
    number: u64,
    event: Event,
    json: OnceLock<String>,
}

impl Frame {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Written down by the first who reads it.
    pub(crate) fn json(&self) -> &str {
        self.json.get_or_init(|| serde_json::to_string(&EventView::new(&self.event)).unwrap_or_default())
    }
}

/// All that was told, from when the console was made.
pub(crate) struct Feed {
    /// One for each process: numbers of another mean nothing here.
    epoch: String,
    /// The hub's number of the youngest event that was heard.
    seen: AtomicU64,
    /// When something frequent may be told again.
    next_frequent: AtomicU64,
    kept: Mutex<Kept>,
    sender: broadcast::Sender<Arc<Frame>>,
}

#[derive(Default)]
struct Kept {
    last: u64,
    frames: VecDeque<Arc<Frame>>,
}

/// Where a reader goes on.
pub(crate) struct Resumed {
    /// What was told since, from what is kept.
    pub(crate) frames: VecDeque<Arc<Frame>>,
    /// What was told since, and is not kept any more.
    pub(crate) lost: u64,
    /// What is told from now on.
    pub(crate) receiver: broadcast::Receiver<Arc<Frame>>,
}

impl Feed {
    pub(crate) fn new() -> Self {
        let mut epoch = String::new();
        // Random for each process and each console, and nobody's secret.
        let _ = write!(epoch, "{:016x}", RandomState::new().hash_one(0));
        Self {
            epoch,
            seen: AtomicU64::new(0),
            next_frequent: AtomicU64::new(0),
            kept: Mutex::default(),
            sender: broadcast::Sender::new(BUFFER),
        }
    }

    pub(crate) fn epoch(&self) -> &str {
        &self.epoch
    }

    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Relaxed)
    }

    /// Takes an event, or leaves it out. Called where it happens: on the way of a call, when that is refused.
    pub(crate) fn hear(&self, event: &Event, is_news: bool) {
        self.seen.fetch_max(event.seq, Relaxed);
        if is_rare(&event.what) || (is_news && self.has_room(event.at)) {
            self.push(event.clone());
        }
    }

    fn has_room(&self, now: Time) -> bool {
        let (now, next) = (now.as_nanos(), self.next_frequent.load(Relaxed));
        let then = now.saturating_add(FREQUENT_EVERY_NANOS);
        now >= next && self.next_frequent.compare_exchange(next, then, AcqRel, Relaxed).is_ok()
    }

    fn push(&self, event: Event) {
        let mut kept = self.lock();
        kept.last += 1;
        let frame = Arc::new(Frame { number: kept.last, event, json: OnceLock::new() });
        if kept.frames.len() >= KEPT {
            kept.frames.pop_front();
        }
        kept.frames.push_back(frame.clone());
        // Under the lock, so that readers have them in their order. An error says that nobody reads.
        let _ = self.sender.send(frame);
    }

    /// Everything from now on; after the event of this id, if it is one of this process.
    pub(crate) fn resume(&self, id: Option<&str>) -> Resumed {
        let kept = self.lock();
        let receiver = self.sender.subscribe();
        let Some(after) = id.and_then(|id| self.number(id)).filter(|after| *after <= kept.last) else {
            return Resumed { frames: VecDeque::new(), lost: 0, receiver };
        };
        let frames: VecDeque<_> = kept.frames.iter().filter(|frame| frame.number > after).cloned().collect();
        let lost = (kept.last - after).saturating_sub(frames.len() as u64);
        Resumed { frames, lost, receiver }
    }

    /// The number in an id of this process.
    fn number(&self, id: &str) -> Option<u64> {
        let (epoch, number) = id.rsplit_once('-')?;
        (epoch == self.epoch).then(|| number.parse().ok())?
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it does not come with single calls.
fn is_rare(what: &EventKind) -> bool {
    !matches!(
        what,
        EventKind::Rejected { .. }
            | EventKind::Retry { .. }
            | EventKind::Retried(_)
            | EventKind::Hedge { .. }
            | EventKind::Fallback { .. }
            | EventKind::Injected { .. }
            | EventKind::Panicked { .. }
            | EventKind::Promoted { .. }
            | EventKind::LimitChanged { .. }
    )
}

#[cfg(test)]
mod tests {
    use portcullis::{Name, PolicyKind, Registry, event::Emitter};

    use super::*;

    /// A feed that has heard so many changes.
    fn feed(changes: u64) -> Feed {
        let feed = Feed::new();
        let registry = Registry::new();
        let emitter = Emitter::new(Name::from("x"), PolicyKind::Breaker, &registry);
        emitter.config_changed();
        let event = registry.events().recent().remove(0);
        (0..changes).for_each(|_| feed.hear(&event, true));
        feed
    }

    #[test]
    fn who_comes_back_gets_what_it_missed() {
        let feed = feed(10);
        let resumed = feed.resume(Some(&format!("{}-7", feed.epoch())));
        let numbers: Vec<_> = resumed.frames.iter().map(|frame| frame.number()).collect();
        assert_eq!((numbers, resumed.lost), (vec![8, 9, 10], 0));
    }

    #[test]
    fn what_is_not_kept_is_told_as_lost() {
        let feed = feed(KEPT as u64 + 10);
        let resumed = feed.resume(Some(&format!("{}-3", feed.epoch())));
        assert_eq!((resumed.frames.len(), resumed.lost), (KEPT, 7));
    }

    #[test]
    fn ids_of_others_begin_anew() {
        let feed = feed(10);
        let ids = [
            "0000000000000000-7",
            "7",
            "",
            "-7",
            &format!("{}-11", feed.epoch()),
            &format!("{}-x", feed.epoch()),
        ];
        for id in ids {
            let resumed = feed.resume(Some(id));
            assert_eq!((resumed.frames.len(), resumed.lost), (0, 0), "{id}");
        }
    }
}
