use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower::BoxError;

use super::{
    Marked,
    exchange::{Accepts, Exchange, Reads, unmarked},
};

const NUMBER: &str = "x-number";

/// The number of a request that has lost its own.
const UNKNOWN: u64 = u64::MAX;

/// The request of [`Http`].
pub type HttpRequest = Request<Full<Bytes>>;

/// The response of [`Http`].
pub type HttpResponse = Response<Full<Bytes>>;

/// An HTTP exchange: `PUT` requests and `200` responses that carry their number in a header and in
/// the body.
///
/// The layer may change the type of either body, as long as its data is [`Bytes`].
#[derive(Debug, Clone, Copy)]
pub struct Http(Infallible);

impl Exchange for Http {
    type Request = HttpRequest;
    type Response = HttpResponse;
    type Error = Marked;

    fn request(number: u64) -> Self::Request {
        let mut request = Request::new(body(number));
        // Idempotent, so that a retry may do its work, and with a body, so that it must keep one.
        *request.method_mut() = Method::PUT;
        request.headers_mut().insert(NUMBER, number.into());
        request
    }

    fn number(request: &Self::Request) -> u64 {
        number(request.headers()).unwrap_or(UNKNOWN)
    }

    fn response(number: u64) -> Self::Response {
        let mut response = Response::new(body(number));
        response.headers_mut().insert(NUMBER, number.into());
        response
    }

    fn error(marked: Marked) -> Marked {
        marked
    }

    fn unbox(error: BoxError) -> Marked {
        unmarked(&error)
    }
}

impl<B> Accepts<Request<B>> for Http {
    fn accept(request: Request<B>) -> Self::Request {
        let (parts, _) = request.into_parts();
        let number = number(&parts.headers).unwrap_or(UNKNOWN);
        Request::from_parts(parts, body(number))
    }
}

impl<B> Reads<Response<B>> for Http
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    async fn read(response: Response<B>) -> Result<u64, BoxError> {
        let status = response.status();
        if status != StatusCode::OK {
            return Err(format!("the response has status {status}").into());
        }
        // A caller takes a moment between head and body, and may be dropped there.
        tokio::task::yield_now().await;
        let header = number(response.headers());
        let bytes = response.into_body().collect().await.map_err(Into::into)?.to_bytes();
        let number = parse(&bytes).ok_or("the response's body was changed")?;
        if header != Some(number) {
            return Err("the response's headers were changed".into());
        }
        Ok(number)
    }
}

fn body(number: u64) -> Full<Bytes> {
    Full::new(Bytes::from(number.to_string()))
}

fn number(headers: &HeaderMap) -> Option<u64> {
    parse(headers.get(NUMBER)?.as_bytes())
}

fn parse(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
