//! Stacks, in the order that the documentation recommends and in others.

use portcullis_testkit::{laws, laws_http};
use tower::ServiceBuilder;

use crate::{
    exchange::{Rpc, Shop},
    policies::{
        ATTEMPTS, LIMIT, attempt, breaker, bulkhead, health, retry, single_file, total, whole_response,
    },
};

laws!(
    boxed,
    || {
        ServiceBuilder::new()
            .layer(total())
            .layer(retry().idempotent())
            .layer(breaker())
            .layer(bulkhead())
            .layer(attempt())
            .into_inner()
    },
    limited_to = LIMIT,
    attempts = ATTEMPTS,
);

laws!(
    typed in Shop,
    || {
        ServiceBuilder::new()
            .layer(total().typed())
            .layer(retry().typed().idempotent())
            .layer(breaker().typed())
            .layer(bulkhead().typed())
            .layer(attempt().typed())
            .into_inner()
    },
    limited_to = LIMIT,
    attempts = ATTEMPTS,
);

laws_http!(
    http_server,
    || {
        ServiceBuilder::new()
            .layer(health())
            .layer(whole_response().http_server())
            .layer(retry().http_server())
            .layer(breaker().http_server())
            .layer(bulkhead().http_server())
            .layer(attempt().http_server())
            .into_inner()
    },
    limited_to = LIMIT,
    attempts = ATTEMPTS,
);

laws_http!(
    http_client,
    || {
        ServiceBuilder::new()
            .layer(whole_response().http_client())
            .layer(retry().http_client())
            .layer(breaker().http_client())
            .layer(bulkhead().http_client())
            .layer(attempt().http_client())
            .into_inner()
    },
    limited_to = LIMIT,
    attempts = ATTEMPTS,
);

laws!(
    grpc in Rpc,
    || {
        ServiceBuilder::new()
            .layer(whole_response().grpc())
            .layer(retry().grpc().idempotent())
            .layer(breaker().grpc())
            .layer(bulkhead().grpc())
            .layer(attempt().grpc())
            .into_inner()
    },
    limited_to = LIMIT,
    attempts = ATTEMPTS,
);

laws!(
    /// A bulkhead around the retries holds its permit between two attempts.
    inside_out,
    || {
        ServiceBuilder::new()
            .layer(attempt())
            .layer(single_file())
            .layer(breaker())
            .layer(retry().idempotent())
            .layer(total())
            .into_inner()
    },
    limited_to = 1,
    attempts = ATTEMPTS,
);

laws!(
    /// Without a timeout below, each attempt waits for readiness while the bulkhead's permit is held.
    retries_in_single_file,
    || ServiceBuilder::new().layer(single_file()).layer(retry().idempotent()).into_inner(),
    limited_to = 1,
    attempts = ATTEMPTS,
);

laws_http!(
    http_retries_in_single_file,
    || ServiceBuilder::new().layer(single_file().http_client()).layer(retry().http_client()).into_inner(),
    limited_to = 1,
    attempts = ATTEMPTS,
);

laws!(
    /// With tower's own layers between them.
    mixed,
    || {
        ServiceBuilder::new()
            .layer(total())
            .layer(retry().idempotent())
            .buffer(8)
            .layer(breaker())
            .concurrency_limit(2)
            .layer(bulkhead())
            .timeout(std::time::Duration::from_secs(60))
            .into_inner()
    },
    attempts = ATTEMPTS,
);
