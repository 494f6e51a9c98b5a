//! Every layer with the protocol of tonic clients, whose errors are a `Status`.

use portcullis_testkit::laws;
use portcullis_tonic::Tonic;
use tower::ServiceBuilder;

use crate::{
    exchange::Rpc,
    policies::{
        ATTEMPTS, LIMIT, attempt, breaker as a_breaker, bulkhead as a_bulkhead, half_open, keyed, observe,
        retry, single_file, total, whole_response,
    },
};

laws!(breaker in Rpc, || a_breaker().protocol(Tonic::default()));
laws!(keyed_breaker in Rpc, || keyed().protocol(Tonic::default()));
laws!(half_open_breaker in Rpc, {
    let layer = half_open();
    move || layer().protocol(Tonic::default())
});
laws!(bulkhead in Rpc, || a_bulkhead().protocol(Tonic::default()), limited_to = LIMIT);
laws!(observer in Rpc, || observe().protocol(Tonic::default()));
laws!(timeout in Rpc, || total().protocol(Tonic::default()));
laws!(whole in Rpc, || whole_response().protocol(Tonic::default()));
laws!(retried in Rpc, || retry().grpc().idempotent().protocol(Tonic::default()), attempts = ATTEMPTS);
laws!(
    stack in Rpc,
    || {
        ServiceBuilder::new()
            .layer(whole_response().protocol(Tonic::default()))
            .layer(retry().grpc().idempotent().protocol(Tonic::default()))
            .layer(a_breaker().protocol(Tonic::default()))
            .layer(single_file().protocol(Tonic::default()))
            .layer(attempt().protocol(Tonic::default()))
            .into_inner()
    },
    limited_to = 1,
    attempts = ATTEMPTS,
);
