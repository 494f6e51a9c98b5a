//! The cache, for calls of which each has a key of its own, and for those that are counted only: what is made must be as
//! any other call. It is always ready, and waits for an instance of its own.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{cache, shadow_cache},
};

laws!(boxed, cache);
laws!(typed in Shop, || cache().typed());
laws_http!(http_server, || cache().http_server());
laws_http!(http_client, || cache().http_client());
laws!(grpc in Rpc, || cache().grpc());

laws!(shadow_boxed, shadow_cache);
laws_http!(shadow_http_client, || shadow_cache().http_client());
