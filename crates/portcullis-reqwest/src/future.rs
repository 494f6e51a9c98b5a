use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use reqwest::Body;

use crate::convert;

pin_project! {
    /// The future of a [`ReqwestService`](crate::ReqwestService): the client's future, whose
    /// answer is turned into an [`http::Response`].
    ///
    /// # Errors
    ///
    /// Those of the client, or the [`reqwest::Error`] that says why the request could not be sent.
    ///
    /// # Cancellation
    ///
    /// Dropping it drops the client's future.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProjection]
    enum State<F> {
        Sent { #[pin] response: F },
        Unsendable { error: Option<reqwest::Error> },
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn sent(response: F) -> Self {
        Self { state: State::Sent { response } }
    }

    pub(crate) fn unsendable(error: reqwest::Error) -> Self {
        Self { state: State::Unsendable { error: Some(error) } }
    }
}

impl<F, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<reqwest::Response, E>>,
    E: From<reqwest::Error>,
{
    type Output = Result<http::Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Sent { response } => {
                Poll::Ready(ready!(response.poll(cx)).map(convert::into_http))
            }
            // Polled again after its end, it has nothing more to say.
            StateProjection::Unsendable { error } => match error.take() {
                Some(error) => Poll::Ready(Err(error.into())),
                None => Poll::Pending,
            },
        }
    }
}
