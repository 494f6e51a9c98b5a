//! A service whose answers are looked at.

use std::task::{Context, Poll};

use ::http::{Request, Response};
use bytes::Bytes;
use http_body::Body;
use tower_service::Service;

use super::{PeekBody, ResponseFuture};
use crate::{BoxError, protocol::CallError};

/// A service whose gRPC answers come with what follows their head; see [`PeekLayer`](super::PeekLayer).
#[derive(Clone, Copy, Debug)]
pub struct PeekService<S> {
    inner: S,
}

impl<S> PeekService<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, ReqB, B> Service<Request<ReqB>> for PeekService<S>
where
    S: Service<Request<ReqB>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Response = Response<PeekBody<B>>;
    type Error = CallError;
    type Future = ResponseFuture<S::Future, B>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        self.inner.poll_ready(cx).map_err(CallError::new)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqB>) -> Self::Future {
        ResponseFuture::new(self.inner.call(request))
    }
}
