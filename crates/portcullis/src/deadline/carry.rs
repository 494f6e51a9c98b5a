//! How a deadline is read from a request, and written into it.

use std::time::Duration;

use portcullis_core::Time;

/// How a deadline is read from a request, and written into it, besides what the layer's protocol does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` finds no deadline in requests `{Req}`",
    note = "the shorthands `.http_server()`, `.http_client()` and `.grpc()` are for `http::Request`"
)]
pub trait Carry<Req> {
    /// How much time the request says that it has.
    fn left(&self, request: &Req) -> Option<Duration>;

    /// Lets those below know the deadline, until which so much is left, and the next hop that it has this less a
    /// margin.
    fn write(&self, request: &mut Req, deadline: Time, left: Duration, margin: Duration);
}

/// Requests that carry nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl<Req> Carry<Req> for Nothing {
    fn left(&self, _: &Req) -> Option<Duration> {
        None
    }

    fn write(&self, _: &mut Req, _: Time, _: Duration, _: Duration) {}
}

#[cfg(feature = "http")]
pub use http::Headers;

#[cfg(feature = "http")]
mod http {
    use ::http::{HeaderName, HeaderValue, Request};

    use super::{Carry, Duration, Time};
    use crate::protocol::{Deadline, Wire, write_grpc_timeout};

    /// What Envoy tells the services behind it.
    const ENVOY: HeaderName = HeaderName::from_static("x-envoy-expected-rq-timeout-ms");

    /// Headers in milliseconds; and `grpc-timeout`, on gRPC requests.
    #[derive(Clone, Debug)]
    pub struct Headers {
        name: HeaderName,
        reads: bool,
        writes: bool,
    }

    impl Headers {
        /// For servers: reads.
        pub(in crate::deadline) fn inbound() -> Self {
            Self { name: ENVOY, reads: true, writes: false }
        }

        /// For clients: writes.
        pub(in crate::deadline) fn outbound() -> Self {
            Self { name: ENVOY, reads: false, writes: true }
        }

        pub(in crate::deadline) fn named(self, name: HeaderName) -> Self {
            Self { name, ..self }
        }
    }

    impl<B> Carry<Request<B>> for Headers {
        fn left(&self, request: &Request<B>) -> Option<Duration> {
            let value = request.headers().get(&self.name).filter(|_| self.reads)?;
            value.to_str().ok()?.trim().parse().ok().map(Duration::from_millis)
        }

        fn write(&self, request: &mut Request<B>, deadline: Time, left: Duration, margin: Duration) {
            request.extensions_mut().insert(Deadline::new(deadline));
            let told = left.saturating_sub(margin);
            match Wire::of(request) {
                Wire::Grpc if self.writes => write_grpc_timeout(request, told),
                // tonic keeps the time by this as well, and is not to be the first to say that it is over.
                Wire::Grpc => write_grpc_timeout(request, left.saturating_add(margin)),
                _ if self.writes => {
                    let millis = u64::try_from(told.as_millis()).unwrap_or(u64::MAX);
                    request.headers_mut().insert(self.name.clone(), HeaderValue::from(millis));
                }
                _ => {}
            }
        }
    }
}
