//! Hedging without tower.

use std::{
    future::Future,
    task::{Context, Poll},
};

use tower_service::Service;

use super::{Hedge, ResponseFuture, call::Call, future::Hedging};
use crate::{FromRejection, Typed, protocol::Attempt, replay::Replay};

impl Hedge {
    /// Calls `attempt`, and once more when that takes longer than the delay; the first answer counts. Two
    /// attempts may run at once, so that it is only for what may be processed twice. Dropping the future drops
    /// all attempts.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::{BoxError, Hedge};
    ///
    /// let hedge = Hedge::new("inventory");
    /// let stock = hedge.call(|attempt| async move {
    ///     if attempt.number() == 1 {
    ///         std::future::pending::<()>().await; // a replica that hangs
    ///     }
    ///     Ok::<_, BoxError>(42)
    /// });
    /// assert_eq!(stock.await?, 42);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// That of the last attempt.
    pub async fn call<F, Fut, T, E>(&self, attempt: F) -> Result<T, E>
    where
        F: Fn(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: FromRejection,
    {
        let Some(entry) = self.enter() else { return attempt(Attempt::FIRST).await };
        let call = Call::begin(entry, Attempt::FIRST, None);
        let hedging = Hedging::new(Calling(&attempt), Numbered, (), call);
        let first = attempt(Attempt::FIRST);
        ResponseFuture::<_, _, _, Attempt, _, _>::new(first, Typed::default(), (), Some(hedging)).await
    }
}

/// A function as a service.
struct Calling<'a, F>(&'a F);

impl<F> Clone for Calling<'_, F> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<F, Fut, T, E> Service<Attempt> for Calling<'_, F>
where
    F: Fn(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Response = T;
    type Error = E;
    type Future = Fut;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, attempt: Attempt) -> Fut {
        (self.0)(attempt)
    }
}

/// The request is the number of the attempt.
struct Numbered;

impl Replay<Attempt> for Numbered {
    type Request = Attempt;
    type Kept = ();

    fn is_idempotent(&self, _: &Attempt) -> bool {
        true
    }

    fn first(&self, request: Attempt) -> (Attempt, ()) {
        (request, ())
    }

    fn again(&self, (): &()) -> Option<Attempt> {
        Some(Attempt::FIRST)
    }

    fn mark(&self, request: &mut Attempt, attempt: Attempt) {
        *request = attempt;
    }
}
