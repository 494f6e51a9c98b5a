use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::{sync::oneshot, time::Sleep};

use super::{
    ledger::Running,
    step::{Step, Wait},
};

pin_project! {
    /// The response future of a [`Scripted`](super::Scripted) service.
    pub struct ResponseFuture<Res, Err> {
        waits: VecDeque<Wait>,
        #[pin]
        waiting: Waiting,
        answer: Option<Result<Res, Err>>,
        running: Running,
    }
}

pin_project! {
    #[project = WaitingProj]
    enum Waiting {
        Nothing,
        Turns { left: u32 },
        Time { #[pin] sleep: Sleep },
        Release { #[pin] told: oneshot::Receiver<()> },
        Forever,
    }
}

impl<Res, Err> ResponseFuture<Res, Err> {
    pub(super) fn new(step: Step<Res, Err>, running: Running) -> Self {
        Self { waits: step.waits, waiting: Waiting::Nothing, answer: step.answer, running }
    }
}

impl Waiting {
    fn start(wait: Wait, running: &Running) -> Self {
        match wait {
            Wait::Yield(left) => Self::Turns { left },
            Wait::Delay(delay) => Self::Time { sleep: tokio::time::sleep(delay) },
            Wait::Held => {
                let (release, told) = oneshot::channel();
                running.ledger.lock().held.push_back(release);
                Self::Release { told }
            }
            Wait::Forever => Self::Forever,
        }
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project() {
            WaitingProj::Nothing => Poll::Ready(()),
            WaitingProj::Turns { left: 0 } => Poll::Ready(()),
            WaitingProj::Turns { left } => {
                *left -= 1;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            WaitingProj::Time { sleep } => sleep.poll(cx),
            WaitingProj::Release { told } => told.poll(cx).map(|_| ()),
            WaitingProj::Forever => Poll::Pending,
        }
    }
}

impl<Res, Err> Future for ResponseFuture<Res, Err> {
    type Output = Result<Res, Err>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        this.running.ledger.lock().tally.polls += 1;
        loop {
            ready!(this.waiting.as_mut().poll(cx));
            if let Some(wait) = this.waits.pop_front() {
                this.waiting.set(Waiting::start(wait, this.running));
                continue;
            }
            return match this.answer.take() {
                Some(answer) => {
                    this.running.finish();
                    Poll::Ready(answer)
                }
                // Polled again after its answer: what a strict service does is never to answer.
                None => Poll::Pending,
            };
        }
    }
}

impl<Res, Err> fmt::Debug for ResponseFuture<Res, Err> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("waits", &self.waits).finish_non_exhaustive()
    }
}
