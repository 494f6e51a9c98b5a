//! The breaker: closed, and half-open, where calls hold the permit of a probe.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{breaker, half_open},
};

laws!(boxed, breaker);
laws!(typed in Shop, || breaker().typed());
laws_http!(http_server, || breaker().http_server());
laws_http!(http_client, || breaker().http_client());
laws!(grpc in Rpc, || breaker().grpc());

laws!(half_open_boxed, half_open());
laws!(half_open_typed in Shop, { let layer = half_open(); move || layer().typed() });
laws_http!(half_open_http_server, {
    let layer = half_open();
    move || layer().http_server()
});
laws_http!(half_open_http_client, {
    let layer = half_open();
    move || layer().http_client()
});
laws!(half_open_grpc in Rpc, { let layer = half_open(); move || layer().grpc() });
