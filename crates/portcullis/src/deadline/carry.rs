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
    use ::http::{HeaderName, Request};

    use super::{Carry, Duration, Time};
    use crate::protocol::{Deadline, Told, Wire, grpc_timeout, write_grpc_timeout, write_millis};

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
        pub(crate) fn inbound() -> Self {
            Self { name: ENVOY, reads: true, writes: false }
        }

        /// For clients: writes.
        pub(crate) fn outbound() -> Self {
            Self { name: ENVOY, reads: false, writes: true }
        }

        pub(in crate::deadline) fn named(self, name: HeaderName) -> Self {
            Self { name, ..self }
        }
    }

    impl<B> Carry<Request<B>> for Headers {
        fn left(&self, request: &Request<B>) -> Option<Duration> {
            let value = request.headers().get(&self.name).filter(|_| self.reads);
            let millis = value.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            // Whatever the protocol reads: what is written over this must not be more.
            let grpc = if Wire::of(request) == Wire::Grpc { grpc_timeout(request) } else { None };
            millis.map(Duration::from_millis).into_iter().chain(grpc).min()
        }

        fn write(&self, request: &mut Request<B>, deadline: Time, left: Duration, margin: Duration) {
            request.extensions_mut().insert(Deadline::new(deadline));
            if self.writes {
                request.extensions_mut().insert(Told { header: self.name.clone(), margin });
            }
            let told = left.saturating_sub(margin);
            match Wire::of(request) {
                Wire::Grpc if self.writes => write_grpc_timeout(request, told),
                // tonic keeps the time by this as well, and is not to be the first to say that it is over.
                Wire::Grpc => write_grpc_timeout(request, left.saturating_add(margin)),
                _ if self.writes => write_millis(request, &self.name, told),
                _ => {}
            }
        }
    }
}
