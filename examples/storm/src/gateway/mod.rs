//! The gateway: an axum service that calls both upstreams.
//!
//! Handlers and server are shared; what stands around the two clients, and around the router, is
//! what a gateway is built from. [`unprotected`] has nothing there, [`protected`] has Portcullis.
//!
//! ```text
//! let gateway = Gateway::serve(router(unprotected::backends(http, grpc)?)).await?;
//! println!("{}", gateway.address());
//! ```

pub(crate) mod protected;
pub(crate) mod unprotected;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use echo_proto::EchoRequest;
use echo_proto::echo_client::EchoClient;
use http::{Request, Uri};
use http_body_util::Empty;
use portcullis::protocol::{CallError, refusal};
use portcullis::{Probe, Rejection};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::Code;
use tower::BoxError;
use tower::util::{BoxCloneSyncService, ServiceExt as _};

/// Every request to a protected gateway is answered in that time.
pub(crate) const DEADLINE: Duration = Duration::from_millis(500);
/// What the way to the gateway and back, and a busy machine, may add to it.
pub(crate) const TOLERANCE: Duration = Duration::from_millis(100);

/// The HTTP client with what stands around it. Boxed, so that the handlers are written once.
pub(crate) type HttpBackend =
    BoxCloneSyncService<Request<Empty<Bytes>>, http::Response<axum::body::Body>, BoxError>;
/// The gRPC channel with what stands around it. Its error has a name, because a future of a generated
/// client whose error is a `Box<dyn Error>` is not `Send` in the eyes of the compiler.
pub(crate) type GrpcBackend =
    BoxCloneSyncService<Request<tonic::body::Body>, http::Response<tonic::body::Body>, CallError>;

/// What the handlers call.
#[derive(Clone, Debug)]
pub(crate) struct Backends {
    /// Client of the HTTP upstream.
    pub(crate) http: HttpBackend,
    /// Address of what the HTTP route asks for.
    pub(crate) stock: Uri,
    /// Client of the gRPC upstream.
    pub(crate) grpc: EchoClient<GrpcBackend>,
    /// What asks the gRPC upstream in the background; a probe ends with its last handle.
    #[expect(dead_code, reason = "only to be kept")]
    pub(crate) probe: Option<Probe>,
}

/// The routes of every gateway: `/stock` over HTTP and `/echo` over gRPC.
pub(crate) fn router(backends: Backends) -> Router {
    Router::new().route("/stock", get(stock)).route("/echo", get(echo)).with_state(backends)
}

async fn stock(State(backends): State<Backends>) -> Response {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = backends.stock;
    match backends.http.oneshot(request).await {
        Ok(answer) if answer.status().is_server_error() => StatusCode::BAD_GATEWAY.into_response(),
        Ok(answer) => answer,
        Err(error) => explain(&*error),
    }
}

async fn echo(State(mut backends): State<Backends>) -> Response {
    let request = EchoRequest { message: "is anybody there?\n".into(), ..Default::default() };
    match backends.grpc.unary(request).await {
        Ok(reply) => reply.into_inner().message.into_response(),
        Err(status) => (status_of(status.code()), chain(&status)).into_response(),
    }
}

/// What an error of the HTTP stack means to the gateway's own caller: a refusal is passed on, with when
/// to come back; anything else comes from the upstream.
fn explain(error: &(dyn std::error::Error + 'static)) -> Response {
    match Rejection::find(error) {
        Some(rejection) => refusal(rejection.clone()).map(axum::body::Body::from),
        None => (StatusCode::BAD_GATEWAY, chain(error)).into_response(),
    }
}

fn status_of(code: Code) -> StatusCode {
    match code {
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::BAD_GATEWAY,
    }
}

/// An error and its causes in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

/// A served gateway; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Gateway {
    address: SocketAddr,
    server: JoinHandle<io::Result<()>>,
}

impl Gateway {
    /// Serves the router on a free port, with nothing but `axum::serve`.
    pub(crate) async fn serve(router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, server })
    }

    /// Where it is.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}
