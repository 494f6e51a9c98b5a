//! Services to be observed.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use portcullis::{Observer, Registry};

pub(crate) type Body = Full<Bytes>;

/// In a registry of its own.
pub(crate) fn observer(registry: &Registry) -> Observer {
    Observer::builder("shop").registry(registry).build().unwrap()
}

pub(crate) fn get() -> Request<Body> {
    Request::get("http://shop/stock?of=tea").body(Body::default()).unwrap()
}

pub(crate) fn answer(status: StatusCode) -> Response<Body> {
    Response::builder().status(status).body(Body::from("tea")).unwrap()
}
