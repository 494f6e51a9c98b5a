//! The services at the bottom: all of them answer at once, so that what is
//! counted is the pattern around them.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::Service;

/// The error of the services at the bottom.
#[derive(Clone, Debug)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the inner service failed")
    }
}

impl std::error::Error for Failed {}

/// What a service at the bottom answers, unless it has an error of another type.
pub type Answer<E = Failed> = Result<u64, E>;

/// A service as small as the peers' bounds allow.
pub trait Inner<E>:
    Service<u64, Response = u64, Error = E, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S, E> Inner<E> for S where
    S: Service<u64, Response = u64, Error = E, Future: Send> + Clone + Send + Sync + 'static
{
}

/// An error that a service at the bottom can have.
pub trait Error: From<Failed> + Send + 'static {}

impl<E: From<Failed> + Send + 'static> Error for E {}

/// Ready at once; an odd request fails.
pub fn immediate<E: Error>() -> impl Inner<E, Future = Ready<Answer<E>>> {
    tower::service_fn(|request: u64| ready(answer(request)))
}

/// Ready at once; of each two attempts on a thread the first fails.
pub fn fails_first<E: Error>() -> impl Inner<E, Future = Ready<Answer<E>>> {
    thread_local! {
        // Not in the service: some retries clone it per attempt, some do not.
        static ATTEMPTS: Cell<u64> = const { Cell::new(0) };
    }
    tower::service_fn(|request: u64| {
        let attempt = ATTEMPTS.get();
        ATTEMPTS.set(attempt.wrapping_add(1));
        ready(if attempt & 1 == 0 { Err(Failed.into()) } else { Ok(request) })
    })
}

/// Pending when first polled, then ready.
pub fn pends_once<E: Error>() -> impl Inner<E, Future = PendsOnce<E>> {
    tower::service_fn(|request: u64| PendsOnce { request, polled: false, error: PhantomData })
}

/// The future of [`pends_once`].
#[derive(Debug)]
pub struct PendsOnce<E> {
    request: u64,
    polled: bool,
    error: PhantomData<fn() -> E>,
}

impl<E: Error> Future for PendsOnce<E> {
    type Output = Answer<E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polled {
            return Poll::Ready(answer(self.request));
        }
        self.polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A server that answers requests at once, with their number.
#[derive(Clone, Debug)]
pub struct Shop;

impl Service<Request<u64>> for Shop {
    type Response = Response<u64>;
    type Error = Failed;
    type Future = Ready<Result<Response<u64>, Failed>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<u64>) -> Self::Future {
        ready(answer(request.into_body()).map(Response::new))
    }
}

fn answer<E: Error>(request: u64) -> Answer<E> {
    if request & 1 == 0 { Ok(request) } else { Err(Failed.into()) }
}
