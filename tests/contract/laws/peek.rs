//! The peek, alone and below a retry.

use portcullis::PeekLayer;
use portcullis_testkit::{laws, laws_http};
use tower::ServiceBuilder;

use crate::{
    exchange::Rpc,
    policies::{ATTEMPTS, LIMIT, attempt, breaker, bulkhead, retry},
};

laws!(grpc in Rpc, PeekLayer::new);
laws_http!(http, PeekLayer::new);
laws!(
    in_a_stack in Rpc,
    || {
        ServiceBuilder::new()
            .layer(retry().grpc().idempotent())
            .layer(PeekLayer::new())
            .layer(breaker().grpc())
            .layer(bulkhead().grpc())
            .layer(attempt().grpc())
            .into_inner()
    },
    limited_to = LIMIT,
    attempts = ATTEMPTS,
);
