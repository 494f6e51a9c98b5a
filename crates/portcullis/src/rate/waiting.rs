//! The wait for permits.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use portcullis_core::{
    Rejection,
    rate::{Place, Turn},
};
use tokio::time::{Instant, Sleep};

use super::policy::Shared;
use crate::{clock, turn};

/// A place in the line. Boxed, because few calls wait.
pub(super) struct Waiting(Box<Wait>);

struct Wait {
    shared: Arc<Shared>,
    place: Option<Place>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Waiting {
    pub(super) fn new(shared: Arc<Shared>, place: Place) -> Self {
        Self(Box::new(Wait { shared, place: Some(place), timer: None }))
    }

    /// Ready when the turn has come, and never with a refusal: who may wait is served.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let wait = &mut *self.0;
        while let Some(place) = &wait.place {
            let now = clock::now();
            match wait.shared.limiter.poll(place, now, cx.waker()) {
                Turn::Come => {
                    wait.place = None;
                    return Poll::Ready(());
                }
                // Only the first in line has a timer; the next is woken when it goes.
                Turn::Wait(None) => return Poll::Pending,
                Turn::Wait(Some(due)) => {
                    let at = Instant::now() + due.since(now);
                    let timer = wait.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
                    timer.as_mut().reset(at);
                    ready!(timer.as_mut().poll(cx));
                }
            }
        }
        Poll::Pending // polled after it was ready
    }
}

impl turn::Wait for Waiting {
    type Held = ();

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Rejection>> {
        self.poll(cx).map(Ok)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.shared.limiter.leave(place, clock::now());
        }
    }
}
