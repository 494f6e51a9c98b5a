//! A queue whose turns get lost.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use tower::{Layer, Service};

use crate::support::Boxed;

/// Lets one call run, and wakes the next in the queue. It may be gone by then.
#[derive(Clone, Default)]
pub(crate) struct LosesTheTurn(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    busy: bool,
    waiting: VecDeque<Waker>,
}

impl LosesTheTurn {
    fn poll_turn(&self, cx: &Context<'_>) -> Poll<Turn> {
        let mut queue = self.0.lock().unwrap();
        if queue.busy {
            if !queue.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                queue.waiting.push_back(cx.waker().clone());
            }
            return Poll::Pending;
        }
        queue.busy = true;
        Poll::Ready(Turn(self.clone()))
    }
}

struct Turn(LosesTheTurn);

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queue = self.0.0.lock().unwrap();
        queue.busy = false;
        // Wrong: when the woken one was dropped, or is before it is polled, the rest wait for ever.
        queue.waiting.pop_front().inspect(Waker::wake_by_ref);
    }
}

#[derive(Clone)]
pub(crate) struct Queueing<S> {
    inner: S,
    queue: LosesTheTurn,
}

impl<S> Layer<S> for LosesTheTurn {
    type Service = Queueing<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Queueing { inner, queue: self.clone() }
    }
}

impl<S, Req> Service<Req> for Queueing<S>
where
    S: Service<Req, Response: Send, Error: Send, Future: Send> + Clone + Send + 'static,
    Req: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Boxed<S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let clone = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, clone);
        let queue = self.queue.clone();
        Box::pin(async move {
            let _turn = poll_fn(|cx| queue.poll_turn(cx)).await;
            ready.call(request).await
        })
    }
}
