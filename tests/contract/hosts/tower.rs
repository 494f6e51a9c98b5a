//! tower: layers are `Clone + Send + Sync`, and their services go into every box, also around an inner
//! service that is not `Sync`.

use std::fmt::Debug;

use ::axum::body::Body;
use ::tower::BoxError;
use http::Request;
use portcullis::{
    Breaker, Bulkhead, ConfigError, Health, KeyedBreaker, Probe, ProbeLayer, Registry, Rejection,
    RetryBudget, RetryPolicy, Ticket, Timeout,
    breaker::{
        BreakerTicket,
        keyed::{KeyBreaker, KeyedBreakerTicket},
    },
    bulkhead::BulkheadTicket,
    retry::ReplayBody,
    timeout::BodyDeadline,
};
use portcullis_testkit::{
    assert_box_clone_service, assert_box_clone_sync_service, assert_layer, laws::HttpResponse,
};

use super::stack;
use crate::{
    exchange::ShopError,
    policies::{breaker, bulkhead, health, keyed, retry, thread_pool, total, whole_response},
};

macro_rules! accepted {
    ($request:ty => $response:ty, $error:ty: $($layer:expr),+ $(,)?) => {
        $(
            assert_layer!($layer);
            assert_box_clone_service!($layer, $request => $response, $error);
            assert_box_clone_sync_service!($layer, $request => $response, $error);
        )+
    };
}

fn probe<Req>(ask: fn() -> Req) -> ProbeLayer<fn() -> Req> {
    ProbeLayer::new(Probe::builder("tower").build().unwrap(), ask)
}

/// `Body::new`, of which nothing here says what it is made from.
fn whole(body: ReplayBody<Body>) -> Body {
    Body::new(body)
}

accepted!(String => u64, BoxError: crate::policies::keyed_bulkhead());
accepted!(
    Request<Body> => HttpResponse, std::convert::Infallible: crate::policies::keyed_bulkhead().http_server(),
);
accepted!(String => u64, BoxError: breaker(), keyed(), retry(), bulkhead(), thread_pool(), total(), probe(String::new), stack!());
accepted!(String => u64, std::io::Error: breaker(), keyed(), retry(), bulkhead(), thread_pool(), total(), probe(String::new), stack!());
accepted!(
    String => u64, ShopError:
    breaker().typed(), keyed().typed(), retry().typed(), bulkhead().typed(), thread_pool().typed(), total().typed(), probe(String::new).typed(),
    stack!(typed),
);
accepted!(
    Request<Body> => HttpResponse, std::convert::Infallible:
    breaker().http_server(), keyed().http_server(), retry().http_server().rebody(whole), bulkhead().http_server(), thread_pool().http_server(), total().http_server(),
    whole_response().http_server(), health(), probe(Request::<Body>::default).http_server(), stack!(http_server, rebody whole),
);
accepted!(
    Request<Body> => HttpResponse, std::io::Error:
    breaker().http_client(), keyed().http_client(), retry().http_client().rebody(whole), bulkhead().http_client(), thread_pool().http_client(), total().http_client(),
    whole_response().http_client(), health(), probe(Request::<Body>::default).http_client(), stack!(http_client, rebody whole),
);
accepted!(
    Request<Body> => HttpResponse, BoxError:
    breaker().grpc(), retry().grpc().rebody(whole), bulkhead().grpc(), thread_pool().grpc(), total().grpc(), whole_response().grpc(),
    probe(Request::<Body>::default).grpc(), stack!(grpc, rebody whole),
);

/// What a program keeps in its state and hands from task to task.
const _: fn() = || {
    fn handle<T: Clone + Debug + Send + Sync + 'static>() {}
    fn ticket<T: Ticket + Debug + Send + Sync + 'static>() {}
    handle::<Breaker>();
    handle::<KeyedBreaker>();
    handle::<KeyBreaker>();
    handle::<RetryPolicy>();
    handle::<RetryBudget>();
    handle::<Bulkhead>();
    handle::<Timeout>();
    handle::<Health>();
    handle::<Probe>();
    handle::<Registry>();
    ticket::<BreakerTicket>();
    ticket::<KeyedBreakerTicket>();
    ticket::<BulkheadTicket>();
    ticket::<BodyDeadline>();
    fn error<T: std::error::Error + Clone + Send + Sync + 'static>() {}
    error::<Rejection>();
    error::<ConfigError>();
};
