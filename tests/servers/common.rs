//! Clients with a retry, whose attempts are watched.

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Collected, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use portcullis::{
    BoxError, RetryLayer, RetryPolicy,
    protocol::CallError,
    retry::{Backoff, ReplayBody, RetryBuilder},
};
use portcullis_reqwest::{ReqwestReplay, ReqwestService};
use portcullis_tests::{
    attempts::{Attempts, Failed},
    net::soon,
};
use tonic::{body::Body as GrpcBody, transport::Channel};
use tower::{Service, ServiceBuilder, ServiceExt};

/// Three attempts, without waits.
pub(crate) fn thrice() -> RetryBuilder {
    RetryPolicy::builder("peer").max_attempts(3).backoff(Backoff::NONE)
}

/// A request of this method; its body, but for that of a GET, ends with `}`.
pub(crate) fn request(method: &Method, url: &str) -> Request<Full<Bytes>> {
    let body = if *method == Method::GET { "" } else { r#"{"order":17}"# };
    Request::builder().method(method).uri(url).body(Full::from(body)).unwrap()
}

/// What one call came to, and how the attempts failed that brought no answer.
pub(crate) type Outcome = (Result<Answer, BoxError>, Vec<Failed>);

/// Whether the body came whole.
pub(crate) type Answer = Result<Bytes, BoxError>;

/// A client with connections of its own.
#[derive(Clone, Debug)]
pub(crate) enum Host {
    Hyper(Box<Client<HttpConnector, ReplayBody<Full<Bytes>>>>),
    /// Without the retries that reqwest makes by itself.
    Reqwest(reqwest::Client),
}

impl Host {
    pub(crate) fn http1() -> [Self; 2] {
        let reqwest = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never());
        [
            Self::Hyper(Box::new(Client::builder(TokioExecutor::new()).build_http())),
            Self::Reqwest(reqwest.build().unwrap()),
        ]
    }

    pub(crate) fn http2() -> Self {
        Self::Hyper(Box::new(Client::builder(TokioExecutor::new()).http2_only(true).build_http()))
    }

    /// One call, with up to three attempts.
    pub(crate) async fn call(&self, method: &Method, url: &str) -> Outcome {
        let attempts = Attempts::default();
        let answer = soon(self.answer(&attempts, request(method, url))).await;
        (answer, attempts.take())
    }

    async fn answer(&self, attempts: &Attempts, request: Request<Full<Bytes>>) -> Result<Answer, BoxError> {
        let retry = RetryLayer::new(thrice().build()?).http_client();
        match self {
            Self::Hyper(client) => {
                let stack = ServiceBuilder::new().layer(retry).map_err(attempts.note());
                read(stack.service((**client).clone()).oneshot(request).await?.into_body()).await
            }
            Self::Reqwest(client) => {
                let retry = retry.replay(ReqwestReplay::default());
                let stack = ServiceBuilder::new().layer(retry).map_err(attempts.note());
                let (head, body) = request.into_parts();
                let request = Request::from_parts(head, body.collect().await?.to_bytes().into());
                let service = stack.service(ReqwestService::new(client.clone()));
                read(service.oneshot(request).await?.into_body()).await
            }
        }
    }
}

async fn read<B>(body: B) -> Result<Answer, BoxError>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    Ok(body.collect().await.map(Collected::to_bytes).map_err(Into::into))
}

/// A gRPC client over this channel, whose calls may, or may not, be made twice.
pub(crate) fn grpc(
    policy: RetryPolicy,
    idempotent: bool,
    attempts: &Attempts,
    channel: Channel,
) -> tonic::client::Grpc<
    impl Service<Request<GrpcBody>, Response = Response<GrpcBody>, Error = CallError, Future: Send>
    + Clone
    + use<>,
> {
    let retry = RetryLayer::new(policy).grpc().rebody(GrpcBody::new);
    let stack = ServiceBuilder::new()
        .layer(retry.idempotent_if(move |_: &Request<GrpcBody>| idempotent))
        .map_err(attempts.note())
        .service(channel);
    tonic::client::Grpc::new(stack)
}
