//! Coalescing, for calls of which each has a key of its own: what leads must be as any other call.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::coalesce,
};

laws!(boxed, coalesce);
laws!(typed in Shop, || coalesce().typed());
laws_http!(http_server, || coalesce().http_server());
laws_http!(http_client, || coalesce().http_client());
laws!(grpc in Rpc, || coalesce().grpc());
