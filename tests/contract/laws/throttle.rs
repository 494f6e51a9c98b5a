//! The throttle: one for all, and by key, where the lot falls when the call comes.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{keyed_throttle, throttle},
};

laws!(boxed, throttle);
laws!(typed in Shop, || throttle().typed());
laws_http!(http_server, || throttle().http_server());
laws_http!(http_client, || throttle().http_client());
laws!(grpc in Rpc, || throttle().grpc());

laws!(keyed_boxed, keyed_throttle);
laws!(keyed_typed in Shop, || keyed_throttle().typed());
laws_http!(keyed_http_client, || keyed_throttle().http_client());
laws!(keyed_grpc in Rpc, || keyed_throttle().grpc());
