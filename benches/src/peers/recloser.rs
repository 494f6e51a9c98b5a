//! `recloser`: a breaker over a ring of outcomes. It wraps futures; the small
//! service around it is ours, and so is the stack, with tower's other layers.

use std::task::{Context, Poll};

use recloser::{AnyError, AsyncRecloser, Error, Recloser, RecloserFuture};
use tower::{Service, ServiceBuilder};

use super::tower::{Attempts, tokens};
use super::{PATIENCE, ROOM, STAYS_OPEN, THRESHOLD, WINDOW};
use crate::inner::{Failed, immediate};
use crate::{EverySecond, Job, Never, Row, repeat, trip};

pub(super) fn job(row: Row) -> Option<Box<dyn Job>> {
    match row {
        Row::Closed => Some(repeat::<Never, _>(breaker(immediate::<Failed>()))),
        Row::Open => Some(repeat::<Never, _>(trip(breaker(immediate::<Failed>())))),
        Row::HalfFailing => Some(repeat::<EverySecond, _>(breaker(immediate::<Failed>()))),
        Row::Stack => Some(repeat::<Never, _>(stack())),
        _ => None,
    }
}

fn stack() -> impl super::Service {
    ServiceBuilder::new()
        .timeout(PATIENCE)
        .retry(Attempts::new(tokens()))
        // Tower's timeout wants an error that is one; recloser's is not.
        .map_err(|_: Error<Failed>| Failed)
        .layer_fn(breaker)
        .concurrency_limit(usize::from(ROOM))
        .service(immediate::<Failed>())
}

fn breaker<S>(inner: S) -> Breaker<S> {
    let breaker = Recloser::custom()
        .closed_len(usize::from(WINDOW))
        .error_rate(THRESHOLD)
        .open_wait(STAYS_OPEN)
        .build();
    Breaker { breaker: AsyncRecloser::from(breaker), inner }
}

#[derive(Clone)]
struct Breaker<S> {
    breaker: AsyncRecloser,
    inner: S,
}

impl<S> Service<u64> for Breaker<S>
where
    S: Service<u64, Response = u64, Error = Failed>,
{
    type Response = u64;
    type Error = Error<Failed>;
    type Future = RecloserFuture<S::Future, AnyError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Error::Inner)
    }

    fn call(&mut self, request: u64) -> Self::Future {
        self.breaker.call(self.inner.call(request))
    }
}
