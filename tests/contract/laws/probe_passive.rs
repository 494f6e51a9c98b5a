//! Calls that take part in a probe.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::passive,
};

laws!(boxed, passive);
laws!(typed in Shop, || passive().typed());
laws_http!(http_server, || passive().http_server());
laws_http!(http_client, || passive().http_client());
laws!(grpc in Rpc, || passive().grpc());
