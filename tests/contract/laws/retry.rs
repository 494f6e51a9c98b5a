//! The retry: each attempt on an instance of its own that was polled ready.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{ATTEMPTS, keyed_retry, retry},
};

laws!(boxed, || retry().idempotent(), attempts = ATTEMPTS);
laws!(typed in Shop, || retry().typed().idempotent(), attempts = ATTEMPTS);
laws_http!(http_server, || retry().http_server(), attempts = ATTEMPTS);
laws_http!(http_client, || retry().http_client(), attempts = ATTEMPTS);
laws_http!(rebodied, || retry().http_client().rebody(axum::body::Body::new), attempts = ATTEMPTS);
laws!(grpc in Rpc, || retry().grpc().idempotent(), attempts = ATTEMPTS);
laws!(
    /// A request that may have been processed is sent once.
    not_idempotent in Rpc, || retry().grpc(), attempts = 1
);

laws!(keyed_boxed, || keyed_retry().idempotent(), attempts = ATTEMPTS);
laws_http!(keyed_http_client, || keyed_retry().http_client(), attempts = ATTEMPTS);
laws!(keyed_grpc in Rpc, || keyed_retry().grpc().idempotent(), attempts = ATTEMPTS);
