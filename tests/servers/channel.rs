//! A tonic channel that gets no connection.

use bytes::Bytes;
use http::uri::PathAndQuery;
use portcullis::{Delivery, FailureKind};
use portcullis_tests::{
    attempts::Attempts,
    grpc::channel,
    net::{nowhere, soon},
    plain::Plain,
};
use tonic::{Code, Request};

use crate::common::{grpc, thrice};

/// A call that must not be made twice is, because it never was.
#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let attempts = Attempts::default();
    let mut client = grpc(thrice().build().unwrap(), false, &attempts, channel(&nowhere()));
    soon(client.ready()).await.unwrap();

    let order = Request::new(Bytes::from("order"));
    let end = client.unary::<_, Bytes, _>(order, PathAndQuery::from_static("/shop/Buy"), Plain);

    assert_eq!(soon(end).await.unwrap_err().code(), Code::Unavailable);
    let failed = attempts.take();
    let judged: Vec<_> = failed.iter().map(|failed| failed.judged).collect();
    assert_eq!(judged, [Some((FailureKind::Connection, Delivery::NotSent)); 3], "{failed:?}");
}
