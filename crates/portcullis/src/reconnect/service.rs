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
    /// There is none that broke, or the one of this number did.
    None(Option<u64>),
    Connecting(Connecting<S>),
    Connected(Connection<S>),
    Failed(ConnectError),
}

impl<M, T, S> ReconnectService<M, T, S> {
    pub(super) fn new(link: Arc<Link<M, T, S>>) -> Self {
        Self { link, state: State::None(None) }
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
                // Connected => None, when it broke; => Connecting, when it was never ready
                State::Connected(connection) => match ready!(connection.service.poll_ready(cx)) {
                    Ok(()) => {
                        connection.prove();
                        return Poll::Ready(Ok(()));
                    }
                    Err(error) if !connection.is_proven() => {
                        let (link, number) = (self.link.clone(), connection.number);
                        let source = error.into();
                        let spoilt = async move { link.spoilt(number, source).await };
                        self.state = State::Connecting(Box::pin(spoilt));
                    }
                    Err(_) => self.state = State::None(Some(connection.number)),
                },
                // None => Connecting
                State::None(broken) => {
                    let (link, seen, broken) = (self.link.clone(), self.link.ended(), *broken);
                    let connecting = Box::pin(async move { link.connect(seen, broken).await });
                    self.state = State::Connecting(connecting);
                }
                // Connecting => Connected, Failed
                State::Connecting(connecting) => {
                    self.state = match ready!(connecting.as_mut().poll(cx)) {
                        Ok(connection) => State::Connected(connection),
                        Err(error) => State::Failed(error),
                    };
                }
            }
        }
    }

    fn call(&mut self, request: Req) -> Self::Future {
        if let State::Connected(connection) = &mut self.state {
            return ResponseFuture::called(connection.service.call(request));
        }
        match std::mem::replace(&mut self.state, State::None(None)) {
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
            State::None(broken) => State::None(*broken),
            State::Connecting(_) | State::Failed(_) => State::None(None),
        };
        Self { link: self.link.clone(), state }
    }
}

impl<M, T, S> fmt::Debug for ReconnectService<M, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectService").field("policy", self.link.policy.name()).finish_non_exhaustive()
    }
}
