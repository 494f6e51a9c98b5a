//! The response future of coalescing.

use std::{
    fmt,
    future::Future,
    hash::Hash,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::policy::Shared;
use crate::{
    Protocol,
    flight::{Leader, Turn, Waiter},
    oneshot::Oneshot,
    parked::Parked,
    shard::Pinned,
    share::{Collected, Share, ShareError, Unshared},
};

pin_project! {
    /// The response future of [`CoalesceService`](super::CoalesceService).
    ///
    /// Dropping it drops the call that it makes, and lets who has waited longest make its own; or it leaves those who
    /// wait.
    pub struct ResponseFuture<S, Req, P, Cx, C, K, T>
    where
        S: Service<Req>,
        K: Hash,
        K: Eq,
        K: Send,
        K: Sync,
        K: 'static,
        T: Send,
        T: Sync,
        T: 'static,
    {
        #[pin]
        state: State<S, Req, C, K, T>,
        protocol: P,
        context: Cx,
        shared: Pinned<Shared>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, Req, C, K, T>
    where
        S: Service<Req>,
        K: Hash,
        K: Eq,
        K: Send,
        K: Sync,
        K: 'static,
        T: Send,
        T: Sync,
        T: 'static,
    {
        // The call is dropped before its leader, so that the next finds free what it held.
        Calling { #[pin] inner: Oneshot<S, Req>, leader: Option<Leader<K, T>> },
        Collecting { #[pin] collecting: C, leader: Option<Leader<K, T>> },
        Waiting { waiter: Waiter<K, T>, call: Parked<Option<(S, Req)>> },
        Done,
    }
}

impl<S, Req, P, Cx, C, K, T> ResponseFuture<S, Req, P, Cx, C, K, T>
where
    S: Service<Req>,
    K: Hash + Eq + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    pub(super) fn calling(
        inner: Oneshot<S, Req>,
        leader: Option<Leader<K, T>>,
        protocol: P,
        context: Cx,
        shared: Pinned<Shared>,
    ) -> Self {
        Self { state: State::Calling { inner, leader }, protocol, context, shared }
    }

    pub(super) fn waiting(
        waiter: Waiter<K, T>,
        service: S,
        request: Req,
        protocol: P,
        context: Cx,
        shared: Pinned<Shared>,
    ) -> Self {
        let call = Parked::new(Some((service, request)));
        Self { state: State::Waiting { waiter, call }, protocol, context, shared }
    }
}

impl<S, Req, P, C, K, X, Y> Future for ResponseFuture<S, Req, P, P::Context, C, K, Result<X, Y>>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
    P: Share<S::Response, Shared = X, Collecting = C>,
    P: ShareError<<P as Protocol<Req, S::Response, S::Error>>::Error, Shared = Y>,
    C: Future<Output = Collected<<P as Share<S::Response>>::Response, X>>,
    K: Hash + Eq + Send + Sync + 'static,
    X: Clone + Send + Sync + 'static,
    Y: Clone + Send + Sync + 'static,
{
    type Output =
        Result<<P as Share<S::Response>>::Response, <P as Protocol<Req, S::Response, S::Error>>::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let result = loop {
            let next = match this.state.as_mut().project() {
                StateProj::Calling { inner, leader } => {
                    let result = ready!(watched(leader, || inner.poll(cx)));
                    match (result, leader.take()) {
                        (Ok(response), None) => break Ok(this.protocol.alone(response)),
                        (Err(error), None) => break Err(this.protocol.lift(error)),
                        (Err(error), Some(leader)) => {
                            let error = this.protocol.lift(error);
                            break Err(fail(this.protocol, this.shared, leader, error));
                        }
                        // Leading => Handed over
                        (Ok(response), Some(_))
                            if this.shared.rules.promotes()
                                && is_failure(this.protocol, this.context, &response) =>
                        {
                            break Ok(this.protocol.alone(response));
                        }
                        // Calling => Collecting
                        (Ok(response), leader) => {
                            let collecting = this.protocol.collect(response, this.shared.rules.max_body());
                            State::Collecting { collecting, leader }
                        }
                    }
                }
                StateProj::Collecting { collecting, leader } => {
                    let collected = ready!(watched(leader, || collecting.poll(cx)));
                    let Some(leader) = leader.take() else { return Poll::Pending }; // polled after a panic
                    break Ok(give(this.protocol, leader, collected));
                }
                StateProj::Waiting { waiter, call } => {
                    let turn = this.shared.turn(ready!(Pin::new(waiter).poll(cx)));
                    let leader = match turn {
                        Turn::Shared(outcome) => break open(this.protocol, (*outcome).clone()),
                        Turn::Lead(leader) => Some(leader),
                        Turn::Alone => None,
                    };
                    let call = call.get().and_then(Option::take);
                    let Some((service, request)) = call else { return Poll::Pending }; // never empty before
                    // Waiting => Calling
                    State::Calling { inner: Oneshot::unready(service, request), leader }
                }
                StateProj::Done => return Poll::Pending, // polled after it was ready
            };
            this.state.set(next);
        };
        this.state.set(State::Done);
        Poll::Ready(result)
    }
}

/// Lets the leader go if what it leads panics, before the panic goes on its way.
fn watched<L, R>(leader: &mut Option<L>, f: impl FnOnce() -> R) -> R {
    struct Watch<'a, L>(&'a mut Option<L>);

    impl<L> Drop for Watch<'_, L> {
        fn drop(&mut self) {
            *self.0 = None;
        }
    }

    let watch = Watch(leader);
    let result = f();
    std::mem::forget(watch);
    result
}

fn is_failure<P, Req, Res, Err>(protocol: &P, context: &P::Context, response: &Res) -> bool
where
    P: Protocol<Req, Res, Err>,
{
    protocol.judge(context, response).is_some_and(|verdict| verdict.failure().is_some())
}

/// Gives a response to all who wait, and to the leader.
fn give<P, Res, K, X, Y>(
    protocol: &P,
    leader: Leader<K, Result<X, Y>>,
    collected: Collected<P::Response, X>,
) -> P::Response
where
    P: Share<Res, Shared = X>,
    K: Hash + Eq + Send + Sync + 'static,
    X: Clone + Send + Sync + 'static,
    Y: Send + Sync + 'static,
{
    match collected {
        Collected::Shared(shared) => {
            if let Err(leader) = leader.end_alone() {
                leader.settle(Ok(shared.clone()));
            }
            protocol.open(shared)
        }
        // The next may have better luck; all at once would be a stampede.
        Collected::Only(response, Unshared::Failed) => response,
        Collected::Only(response, _) => {
            leader.dissolve();
            response
        }
    }
}

/// Gives a failure to all who wait, if it is to be shared, and to the leader.
fn fail<P, Err, K, X, Y>(protocol: &P, shared: &Shared, leader: Leader<K, Result<X, Y>>, error: Err) -> Err
where
    P: ShareError<Err, Shared = Y>,
    K: Hash + Eq + Send + Sync + 'static,
    X: Send + Sync + 'static,
    Y: Clone + Send + Sync + 'static,
{
    if shared.rules.promotes() {
        return error;
    }
    match leader.end_alone() {
        Ok(()) => error,
        Err(leader) => {
            let kept = protocol.share(error);
            leader.settle(Err(kept.clone()));
            protocol.open(kept)
        }
    }
}

/// An outcome for one of those who waited.
fn open<P, Res, Err, X, Y>(protocol: &P, outcome: Result<X, Y>) -> Result<P::Response, Err>
where
    P: Share<Res, Shared = X> + ShareError<Err, Shared = Y>,
{
    match outcome {
        Ok(shared) => Ok(Share::open(protocol, shared)),
        Err(shared) => Err(ShareError::open(protocol, shared)),
    }
}

impl<S, Req, P, Cx, C, K, T> fmt::Debug for ResponseFuture<S, Req, P, Cx, C, K, T>
where
    S: Service<Req>,
    K: Hash + Eq + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("coalesce::ResponseFuture").finish_non_exhaustive()
    }
}
