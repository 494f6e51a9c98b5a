//! Responses from reqwest to `http` and back, with what the plain conversions lose.

use std::{any::Any, mem};

use bytes::Bytes;
use http::Extensions;
use reqwest::{Body, ResponseBuilderExt, Url};

use crate::BoxError;

/// `http::Response::from` forgets the URL; reqwest looks for it in an extension on the way back.
pub(crate) fn into_http(response: reqwest::Response) -> http::Response<Body> {
    let url = response.url().clone();
    let mut response = http::Response::<Body>::from(response);
    response.extensions_mut().extend(url_extension(url));
    response
}

/// A response that a layer made itself has no URL: it gets the one that was `asked` for.
pub(crate) fn from_http<B>(response: http::Response<B>, asked: Url) -> reqwest::Response
where
    B: http_body::Body + Send + Sync + 'static,
    B::Data: Into<Bytes>,
    B::Error: Into<BoxError>,
{
    let (mut parts, body) = response.into_parts();
    let own = mem::replace(&mut parts.extensions, url_extension(asked));
    parts.extensions.extend(own);
    http::Response::from_parts(parts, into_body(body)).into()
}

/// The type of the URL's extension is private to reqwest: only its builder makes one.
fn url_extension(url: Url) -> Extensions {
    let mut builder = http::Response::builder().url(url);
    builder.extensions_mut().map(mem::take).unwrap_or_default()
}

/// Most stacks give reqwest's own body back: it needs no second box.
fn into_body<B>(body: B) -> Body
where
    B: http_body::Body + Send + Sync + 'static,
    B::Data: Into<Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = Some(body);
    let own = (&mut body as &mut dyn Any).downcast_mut::<Option<Body>>().and_then(Option::take);
    own.or_else(|| body.map(Body::wrap)).unwrap_or_default()
}
