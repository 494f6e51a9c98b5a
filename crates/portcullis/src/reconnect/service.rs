//! A service over a connection.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tower_service::Service;

use super::{
    ConnectError, ResponseFuture,
    link::{Connection, Link},
};
use crate::BoxError;

type Connecting<S> = Pin<Box<dyn Future<Output = Result<Connection<S>, ConnectError>> + Send>>;

/// A service over a connection that is made, and made anew, as needed.
///
/// Clones share the connection. It is ready when the connection is, and when there is none to be had: the call says
/// why then.
pub struct ReconnectService<M, T, S> {
    link: Arc<Link<M, T, S>>,
    state: State<S>,
}

enum State<S> {
    None,
    Connecting(Connecting<S>),
    Connected(Connection<S>),
    Failed(ConnectError),
}

impl<S> State<S> {
    fn of(result: Result<Connection<S>, ConnectError>) -> Self {
        match result {
            Ok(connection) => Self::Connected(connection),
            Err(error) => Self::Failed(error),
        }
    }
}

impl<M, T, S> ReconnectService<M, T, S> {
    pub(super) fn new(link: Arc<Link<M, T, S>>) -> Self {
        Self { link, state: State::None }
    }
}

impl<M, T, S, Req> Service<Req> for ReconnectService<M, T, S>
where
    M: Service<T, Response = S, Error: Into<BoxError>, Future: Send> + Send + 'static,
    T: Clone + Send + Sync + 'static,
    S: Service<Req, Error: Into<BoxError>> + Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            match &mut self.state {
                State::Failed(_) => return Poll::Ready(Ok(())),
                // Connected => None, when it broke; => Connected or Failed, as all others, when it was never ready
                State::Connected(connection) => match ready!(connection.service.poll_ready(cx)) {
                    Ok(()) => {
                        connection.prove();
                        return Poll::Ready(Ok(()));
                    }
                    Err(error) => {
                        let (number, was_ready) = (connection.number, connection.is_proven());
                        self.link.broke(number, error.into());
                        let instead = if was_ready { None } else { self.link.instead() };
                        self.state = instead.map_or(State::None, State::of);
                    }
                },
                // None => Connecting
                State::None => self.state = State::Connecting(Box::pin(self.link.clone().connect())),
                // Connecting => Connected, Failed
                State::Connecting(connecting) => {
                    self.state = State::of(ready!(connecting.as_mut().poll(cx)));
                }
            }
        }
    }

    fn call(&mut self, request: Req) -> Self::Future {
        if let State::Connected(connection) = &mut self.state {
            return ResponseFuture::called(connection.service.call(request));
        }
        match std::mem::replace(&mut self.state, State::None) {
            State::Failed(error) => ResponseFuture::failed(error.into()),
            other => {
                self.state = other;
                ResponseFuture::failed("called before it was ready".into())
            }
        }
    }
}

impl<M, T, S: Clone> Clone for ReconnectService<M, T, S> {
    fn clone(&self) -> Self {
        let state = match &self.state {
            State::Connected(connection) => State::Connected(connection.clone()),
            State::None | State::Connecting(_) | State::Failed(_) => State::None,
        };
        Self { link: self.link.clone(), state }
    }
}

impl<M, T, S> fmt::Debug for ReconnectService<M, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectService").field("policy", self.link.policy.name()).finish_non_exhaustive()
    }
}
