//! A call on its way to a thread, and there.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
};

use tokio::sync::oneshot::{self, Sender};

use super::{Answer, ThreadPoolTicket, caller::Caller, context::Context, held::Held};
use crate::carried::{Carried, message};

/// What a thread tells the caller.
pub(super) type Outcome<T> = Result<T, Panicked>;

/// The call panicked.
pub(super) struct Panicked;

/// All that a call has with it on its thread. The caller's end of `answer` is dropped when the caller is.
struct Job<T> {
    answer: Sender<Outcome<T>>,
    ticket: ThreadPoolTicket,
    context: Context,
    held: Held,
}

/// Runs `work` on the ticket's thread.
pub(super) fn run<T: Send + 'static>(
    ticket: ThreadPoolTicket,
    work: impl FnOnce(&Caller<'_>) -> T + Send + 'static,
) -> Answer<T> {
    start(ticket, Carried::current(), move |answer, _| {
        let is_gone = || answer.is_closed();
        Some(work(&Caller::new(&is_gone)))
    })
}

/// Runs the future that `make` makes on the ticket's thread, until its caller is gone.
pub(super) fn call<F>(
    ticket: ThreadPoolTicket,
    carried: Carried,
    make: impl FnOnce() -> F + Send + 'static,
) -> Answer<F::Output>
where
    F: Future<Output: Send + 'static>,
{
    start(ticket, carried, move |answer, held| {
        let mut future = pin!(make());
        pollster::block_on(std::future::poll_fn(|cx| {
            held.poll(cx, |cx| {
                if answer.poll_closed(cx).is_ready() {
                    return None.into();
                }
                future.as_mut().poll(cx).map(Some)
            })
        }))
    })
}

/// Hands `work` over to a thread. It gives nothing back when the caller is gone.
fn start<T: Send + 'static>(
    ticket: ThreadPoolTicket,
    carried: Carried,
    work: impl FnOnce(&mut Sender<Outcome<T>>, &Held) -> Option<T> + Send + 'static,
) -> Answer<T> {
    let (answer, receiver) = oneshot::channel();
    let context = Context::new(carried);
    let held = Held::new(context.runtime());
    let shared = ticket.shared();
    let threads = shared.threads();
    let job = Job { answer, ticket, context, held };
    threads.spawn(move || job.run(work));
    Answer::new(receiver, shared, threads)
}

impl<T> Job<T> {
    /// On the thread.
    fn run(mut self, work: impl FnOnce(&mut Sender<Outcome<T>>, &Held) -> Option<T>) {
        let _end = End(self.held.clone());
        let done = catch_unwind(AssertUnwindSafe(|| {
            let (answer, held) = (&mut self.answer, &self.held);
            self.context.scope(|| {
                // Work whose caller is gone is not begun.
                if answer.is_closed() { None } else { work(answer, held) }
            })
        }));
        match done {
            Ok(Some(value)) => self.answer(value),
            // Before the clock goes on.
            Ok(None) => drop(self),
            Err(panic) => self.panicked(panic),
        }
    }

    fn answer(self, value: T) {
        let Self { answer, ticket, context, .. } = self;
        if answer.is_closed() {
            // What it takes to drop it is still the call's work.
            context.scope(|| drop(value));
            return;
        }
        // Before the caller knows: its next call may have this thread, and its span ends with it.
        drop((ticket, context));
        let _ = answer.send(Ok(value));
    }

    fn panicked(self, panic: Box<dyn Any + Send>) {
        let Self { answer, ticket, context, .. } = self;
        let shared = ticket.shared();
        drop(ticket);
        // Neither a listener nor what was thrown can keep the caller from its answer by panicking again.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            context.scope(|| {
                shared.panicked(|| message(&*panic));
                drop(panic);
            });
        }));
        drop(context);
        let _ = answer.send(Err(Panicked));
    }
}

/// The clock goes on when all is done, however that ended.
struct End(Held);

impl Drop for End {
    fn drop(&mut self) {
        self.0.clone().end();
    }
}
