//! The keyed breaker, with one key: closed, and half-open, where calls hold the permit of a probe.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{keyed, keyed_half_open},
};

laws!(boxed, keyed);
laws!(typed in Shop, || keyed().typed());
laws_http!(http_server, || keyed().http_server());
laws_http!(http_client, || keyed().http_client());
laws!(grpc in Rpc, || keyed().grpc());

laws!(half_open_boxed, keyed_half_open());
laws_http!(half_open_http_server, {
    let layer = keyed_half_open();
    move || layer().http_server()
});
laws!(half_open_grpc in Rpc, { let layer = keyed_half_open(); move || layer().grpc() });
