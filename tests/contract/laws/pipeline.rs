//! Pipelines: what they put together, in an order of adding that is none, keeps the laws as stacks by hand do.

use portcullis::{Pipeline, Registry};
use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{
        ATTEMPTS, LIMIT, attempt, breaker, bulkhead, drain, fallback, health, load_shed, rate_limit, retry,
        throttle, total, whole_response,
    },
};

/// A client's, with this protocol and retry.
macro_rules! client {
    ($retry:expr $(, $protocol:ident)?) => {
        Pipeline::client("laws")
            .registry(&Registry::new())
            .bulkhead(bulkhead())
            .attempt_timeout(attempt())
            .breaker(breaker())
            .retry($retry)
            .deadline(total())
            .throttle(throttle())
            .rate_limit(rate_limit())
            $(.$protocol())?
            .build()
            .unwrap()
    };
}

laws!(boxed, || client!(retry().idempotent()), limited_to = LIMIT, attempts = ATTEMPTS);
laws!(typed in Shop, || client!(retry().idempotent(), typed), limited_to = LIMIT, attempts = ATTEMPTS);
laws_http!(http_client, || client!(retry(), http_client), limited_to = LIMIT, attempts = ATTEMPTS);
laws!(grpc in Rpc, || client!(retry().idempotent(), grpc), limited_to = LIMIT, attempts = ATTEMPTS);

laws_http!(
    http_server,
    || {
        Pipeline::server("laws")
            .registry(&Registry::new())
            .bulkhead(bulkhead())
            .load_shed(load_shed())
            .deadline(whole_response())
            .drain(drain())
            .health(health())
            .http_server()
            .build()
            .unwrap()
    },
    limited_to = LIMIT,
);

laws!(
    /// A layer that was told its protocol keeps it, whatever the pipeline speaks.
    keeps_what_a_layer_was_told in Shop,
    || {
        let pipeline = Pipeline::client("laws").registry(&Registry::new());
        pipeline.deadline(total().typed()).breaker(breaker()).typed().build().unwrap()
    },
);

laws!(with_a_fallback, || {
    let pipeline = Pipeline::client("laws").registry(&Registry::new());
    pipeline.breaker(breaker()).fallback(fallback()).build().unwrap()
},);
