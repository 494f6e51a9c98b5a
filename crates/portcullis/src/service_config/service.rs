//! A service whose calls go by a service config.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use ::http::{HeaderName, HeaderValue, Request};
use portcullis_core::Time;
use tower_service::Service;

use super::{ResponseFuture, ServiceConfig, attempts::Call, table::Table};
use crate::{Protocol, Timeout, clock, protocol::Deadline, retry::Replay, timeout::BodyDeadline};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// A service whose calls go by a [`ServiceConfig`].
///
/// It is always ready. A call that finds the inner service not ready takes that instance with it, leaves a
/// clone, and waits within its time.
#[derive(Clone, Debug)]
pub struct ServiceConfigService<S, P, R> {
    inner: S,
    config: ServiceConfig,
    protocol: P,
    replay: R,
    /// The inner service was not ready when it was asked.
    unready: bool,
    /// The table as it was last, with its number: no lock is taken for it again.
    seen: (u64, Arc<Table>),
}

impl<S, P, R> ServiceConfigService<S, P, R> {
    pub(super) fn new(inner: S, config: ServiceConfig, protocol: P, replay: R) -> Self {
        let seen = config.table();
        Self { inner, config, protocol, replay, unready: false, seen }
    }

    fn table(&mut self) -> &Table {
        if self.config.reloads() != self.seen.0 {
            self.seen = self.config.table();
        }
        &self.seen.1
    }
}

/// The error of the calls, before it is that of the layer.
type Inner<S, P, R, Req> = <P as Protocol<
    <R as Replay<Req>>::Request,
    <S as Service<<R as Replay<Req>>::Request>>::Response,
    <S as Service<<R as Replay<Req>>::Request>>::Error,
>>::Error;

impl<S, P, R, B> Service<Request<B>> for ServiceConfigService<S, P, R>
where
    R: Replay<Request<B>> + Clone,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error> + Clone,
    P: Protocol<Request<B>, S::Response, Inner<S, P, R, Request<B>>>,
{
    type Response =
        <P as Protocol<Request<B>, S::Response, Inner<S, P, R, Request<B>>>>::Response<BodyDeadline>;
    type Error = <P as Protocol<Request<B>, S::Response, Inner<S, P, R, Request<B>>>>::Error;
    type Future = ResponseFuture<
        S,
        P,
        R,
        Request<B>,
        <P as Protocol<Request<B>, S::Response, Inner<S, P, R, Request<B>>>>::Context,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let inner = self.inner.poll_ready(cx);
        self.unready = inner.is_pending();
        match inner {
            Poll::Ready(Err(error)) => {
                let error = Protocol::<R::Request, S::Response, S::Error>::lift(&self.protocol, error);
                Poll::Ready(Err(lift::<P, Request<B>, S::Response, _>(&self.protocol, error)))
            }
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let context = Protocol::<Request<B>, S::Response, Inner<S, P, R, Request<B>>>::context(
            &self.protocol,
            &request,
        );
        let method = self.table().method(request.uri().path()).cloned();
        let timeout = method.as_ref().and_then(|method| method.timeout.as_ref());
        let own = Protocol::<Request<B>, S::Response, Inner<S, P, R, Request<B>>>::deadline(
            &self.protocol,
            &request,
        );
        let timeout = timeout.or_else(|| own.is_some().then(|| self.config.callers()));
        let deadline = timeout.map(|timeout| arm(timeout, own, &mut request));
        let clone = self.inner.clone();
        let call = Call {
            service: std::mem::replace(&mut self.inner, clone),
            protocol: self.protocol.clone(),
            replay: self.replay.clone(),
            method,
            request,
        };
        ResponseFuture::new(call, !std::mem::take(&mut self.unready), deadline, context)
    }
}

/// As `lift` alone would not know which of two to be.
pub(super) fn lift<P, Req, Res, Err>(protocol: &P, error: Err) -> P::Error
where
    P: Protocol<Req, Res, Err>,
{
    protocol.lift(error)
}

/// Times a call: as long as the method may take, and not longer than its caller waits anyway. Whoever is
/// below is told, and so is the server.
fn arm<B>(timeout: &Timeout, own: Option<Time>, request: &mut Request<B>) -> BodyDeadline {
    let left = own.map_or(timeout.limit(), |own| own.since(clock::now()).min(timeout.limit()));
    request.extensions_mut().insert(Deadline::after(left));
    if let Ok(told) = HeaderValue::try_from(grpc_timeout(left)) {
        request.headers_mut().insert(GRPC_TIMEOUT, told);
    }
    timeout.within(left)
}

/// At most eight digits and a unit (gRPC over HTTP/2, "Timeout"); rounded up.
fn grpc_timeout(left: Duration) -> String {
    const MOST: u128 = 99_999_999;
    let nanos = left.as_nanos();
    match (nanos.div_ceil(1000), nanos.div_ceil(1_000_000)) {
        (micros, _) if micros <= MOST => format!("{micros}u"),
        (_, millis) => format!("{}m", millis.min(MOST)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_told_in_eight_digits() {
        for (left, told) in [
            (Duration::ZERO, "0u"),
            (Duration::from_nanos(1), "1u"),
            (Duration::from_millis(1500), "1500000u"),
            (Duration::from_micros(99_999_999), "99999999u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(24 * 60 * 60), "86400000m"),
        ] {
            assert_eq!(grpc_timeout(left), told);
        }
    }
}
