//! The observer: it changes nothing, of calls and of attempts.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{observe, observe_attempts},
};

laws!(boxed, observe);
laws!(typed in Shop, || observe().typed());
laws_http!(http_server, || observe().http_server());
laws_http!(http_client, || observe().http_client());
laws!(grpc in Rpc, || observe().grpc());

laws!(attempts_boxed, observe_attempts);
laws!(attempts_typed in Shop, || observe_attempts().typed());
laws_http!(attempts_http_client, || observe_attempts().http_client());
laws!(attempts_grpc in Rpc, || observe_attempts().grpc());
