//! gRPC as tonic speaks it: `POST`, a message in the body, the status in the trailers.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body::Body;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use portcullis_testkit::laws::{Accepts, Exchange, Marked, Reads};
use tower::BoxError;

const NUMBER: &str = "x-number";
const STATUS: &str = "grpc-status";
const UNKNOWN: u64 = u64::MAX;

/// Unary calls that succeed, or fail before they are answered.
pub(crate) struct Rpc;

impl Exchange for Rpc {
    type Request = Request<Full<Bytes>>;
    type Response = Response<BoxBody<Bytes, BoxError>>;
    type Error = Marked;

    fn request(number: u64) -> Self::Request {
        let mut request = Request::post("/shop.Shop/Buy").body(Full::new(message(number))).unwrap();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        request.headers_mut().insert(NUMBER, number.into());
        request
    }

    fn number(request: &Self::Request) -> u64 {
        parse(request.headers()).unwrap_or(UNKNOWN)
    }

    fn response(number: u64) -> Self::Response {
        let mut trailers = HeaderMap::new();
        trailers.insert(STATUS, HeaderValue::from_static("0"));
        trailers.insert(NUMBER, number.into());
        let body = Full::new(message(number)).with_trailers(std::future::ready(Some(Ok(trailers))));
        let mut response = Response::new(body.map_err(Into::into).boxed());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        response
    }

    fn error(marked: Marked) -> Marked {
        marked
    }

    fn unbox(error: BoxError) -> Marked {
        super::unmark(&error)
    }
}

impl<B> Accepts<Request<B>> for Rpc {
    fn accept(request: Request<B>) -> Self::Request {
        let (parts, _) = request.into_parts();
        let number = parse(&parts.headers).unwrap_or(UNKNOWN);
        Request::from_parts(parts, Full::new(message(number)))
    }
}

impl<B> Reads<Response<B>> for Rpc
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    async fn read(response: Response<B>) -> Result<u64, BoxError> {
        if let Some(status) = response.headers().get(STATUS) {
            return Err(format!("a trailers-only response with status {status:?}").into());
        }
        // A caller takes a moment between head and body, and may be dropped there.
        tokio::task::yield_now().await;
        let body = response.into_body().collect().await.map_err(Into::into)?;
        let trailers = body.trailers().cloned().ok_or("the trailers were lost")?;
        let number =
            parse(&trailers).filter(|_| trailers[STATUS] == "0").ok_or("the trailers were changed")?;
        if body.to_bytes() != message(number) {
            return Err("the response's body was changed".into());
        }
        Ok(number)
    }
}

/// A length-prefixed message.
fn message(number: u64) -> Bytes {
    [&[0, 0, 0, 0, 8][..], &number.to_be_bytes()].concat().into()
}

fn parse(headers: &HeaderMap) -> Option<u64> {
    headers.get(NUMBER)?.to_str().ok()?.parse().ok()
}
