//! The last events.

use std::collections::VecDeque;

use super::Event;

/// How many events each policy keeps: the last few changes, which is what one looks for when one policy
/// is in question, in two kilobytes at most.
pub const KEPT_PER_POLICY: usize = 16;

/// The last events, at most so many. Takes no memory before the first.
#[derive(Debug)]
pub(super) struct Ring {
    events: VecDeque<Event>,
    most: usize,
}

impl Ring {
    pub(super) const fn new(most: usize) -> Self {
        Self { events: VecDeque::new(), most }
    }

    pub(super) fn push(&mut self, event: Event) {
        if self.events.len() >= self.most {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// From the oldest to the youngest.
    pub(super) fn to_vec(&self) -> Vec<Event> {
        let mut events: Vec<_> = self.events.iter().cloned().collect();
        // Those of two threads may have come in the other order.
        events.sort_by_key(|event| event.seq);
        events
    }
}
