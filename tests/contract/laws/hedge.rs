//! The hedge: each attempt on an instance of its own that was polled ready.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{ATTEMPTS, hedge, keyed_hedge},
};

laws!(boxed, || hedge().idempotent(), attempts = ATTEMPTS);
laws!(typed in Shop, || hedge().typed().idempotent(), attempts = ATTEMPTS);
laws_http!(http_server, || hedge().http_server(), attempts = ATTEMPTS);
laws_http!(http_client, || hedge().http_client(), attempts = ATTEMPTS);
laws_http!(rebodied, || hedge().http_client().rebody(axum::body::Body::new), attempts = ATTEMPTS);
laws!(grpc in Rpc, || hedge().grpc().idempotent(), attempts = ATTEMPTS);
laws!(keyed_boxed, || keyed_hedge().idempotent(), attempts = ATTEMPTS);
laws_http!(keyed_http_client, || keyed_hedge().http_client(), attempts = ATTEMPTS);
laws!(
    /// A request that may have been processed is sent once.
    not_idempotent in Rpc, || hedge().grpc(), attempts = 1
);
