use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tower_service::Service;

use super::{
    future::ResponseFuture,
    handle::Shared,
    ledger::{Ledger, Misuse, Reservation},
};

/// A service that answers by a script and holds its callers to the `Service` contract.
///
/// Readiness belongs to one instance: a clone starts unready, and a call uses readiness up. A call
/// without it is answered all the same, and recorded as a [`Misuse`].
pub struct Scripted<Req, Res, Err> {
    shared: Arc<Shared<Req, Res, Err>>,
    instance: u64,
    reservation: Option<Reservation>,
    was_ready: bool,
    yielded: u32,
}

impl<Req, Res, Err> Scripted<Req, Res, Err> {
    pub(super) fn new(shared: Arc<Shared<Req, Res, Err>>) -> Self {
        let instance = shared.ledger.new_instance();
        Self { shared, instance, reservation: None, was_ready: false, yielded: 0 }
    }

    fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// Whether the gate lets this instance be ready now; its waker is kept if not.
    fn poll_gate(&mut self, cx: &Context<'_>) -> Poll<()> {
        let mut entries = self.shared.ledger.lock();
        if entries.closed {
            let earlier = entries.waiting.insert(self.instance, cx.waker().clone());
            // Outside the lock: dropping a waker may drop a task, and with it another instance.
            drop(entries);
            drop(earlier);
            return Poll::Pending;
        }
        if self.yielded < entries.ready_yields {
            self.yielded += 1;
            drop(entries);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Records that somebody would have called this instance, which was never polled ready.
    pub(crate) fn record_misuse(&self) {
        let misuse = Misuse::NeverReady { instance: self.instance };
        self.ledger().lock().tally.misuses.push(misuse);
    }

    fn misuse(&self) -> Option<Misuse> {
        let instance = self.instance;
        match (&self.reservation, self.was_ready) {
            (Some(_), _) => None,
            (None, true) => Some(Misuse::NotReadyAgain { instance }),
            (None, false) => Some(Misuse::NeverReady { instance }),
        }
    }
}

impl<Req, Res, Err> Service<Req> for Scripted<Req, Res, Err> {
    type Response = Res;
    type Error = Err;
    type Future = ResponseFuture<Res, Err>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Err>> {
        self.ledger().lock().tally.ready_polls += 1;
        if let Some(error) = self.shared.readiness_error() {
            return Poll::Ready(Err(error));
        }
        if self.reservation.is_some() {
            return Poll::Ready(Ok(()));
        }
        self.poll_gate(cx).map(|()| {
            self.yielded = 0;
            self.was_ready = true;
            self.reservation = Some(self.ledger().reserve());
            Ok(())
        })
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let running = self.ledger().begin(self.misuse());
        self.reservation = None;
        ResponseFuture::new(self.shared.next_step(request), running)
    }
}

impl<Req, Res, Err> Clone for Scripted<Req, Res, Err> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.shared))
    }
}

impl<Req, Res, Err> Drop for Scripted<Req, Res, Err> {
    fn drop(&mut self) {
        let waker = self.ledger().lock().waiting.remove(&self.instance);
        // Outside the lock, as above.
        drop(waker);
    }
}

impl<Req, Res, Err> fmt::Debug for Scripted<Req, Res, Err> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted")
            .field("instance", &self.instance)
            .field("ready", &self.reservation.is_some())
            .finish_non_exhaustive()
    }
}
