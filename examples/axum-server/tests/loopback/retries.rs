//! What is tried again.

use std::sync::atomic::Ordering::SeqCst;

use http::{Method, Request};

use crate::server::{send, server};

#[tokio::test]
async fn what_is_idempotent_is_tried_again_with_its_body() {
    let server = server(|_, _| ()).await;
    let answer = send(server.address, Request::builder().method(Method::PUT), "/flaky", "tea").await;
    assert_eq!((answer.status, &*answer.body), (200, &b"tea"[..]));
    assert_eq!(server.calls.load(SeqCst), 3);
}

#[tokio::test]
async fn what_is_not_idempotent_is_tried_once() {
    let server = server(|_, _| ()).await;
    assert_eq!(server.post("/flaky").await.status, 502);
    assert_eq!(server.calls.load(SeqCst), 1);
}
