//! What one call waits by.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use portcullis_core::Time;
use tokio::time::Sleep;

use super::{line::Place, lines::Slot};
use crate::clock;

/// The timer of one call. Before it is dropped it is to be [ended](Self::end), or who it would have woken is woken for
/// nothing, and its place is never another's.
pub(crate) enum Timer {
    None,
    /// That of all calls.
    Lined(Place),
    /// Its own: where the others are of another runtime, or would all be over much later.
    Own(Pin<Box<Sleep>>),
}

impl Timer {
    /// Ready when it is over. Asked for the first time it says no, so that this costs no look at the clock: who is over by
    /// then is woken at once.
    pub(crate) fn poll(&mut self, slot: &Slot, over: Time, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::None => {}
            Self::Own(sleep) => return sleep.as_mut().poll(cx),
            Self::Lined(place) => {
                if slot.get().is_some_and(|alarm| !alarm.is_called(place, cx.waker())) {
                    return Poll::Pending;
                }
                self.end(slot);
                // Whoever was woken looks for itself.
                if over <= clock::now() {
                    return Poll::Ready(());
                }
            }
        }
        self.begin(slot, over, cx)
    }

    fn begin(&mut self, slot: &Slot, over: Time, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(place) = slot.get_or_make().enter(over, cx.waker()) {
            *self = Self::Lined(place);
            return Poll::Pending;
        }
        let mut sleep = Box::pin(tokio::time::sleep_until(clock::instant(over)));
        let is_over = sleep.as_mut().poll(cx);
        *self = Self::Own(sleep);
        is_over
    }

    /// Nobody is woken any more.
    pub(crate) fn end(&mut self, slot: &Slot) {
        if let (Self::Lined(place), Some(alarm)) = (std::mem::replace(self, Self::None), slot.get()) {
            alarm.leave(place);
        }
    }

    /// Whether there is nothing to be ended.
    #[inline(always)]
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}
