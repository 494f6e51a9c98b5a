//! The drain, before it begins: it is then nothing but a count.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::drain,
};

laws!(boxed, drain);
laws!(typed in Shop, || drain().typed());
laws_http!(http_server, || drain().http_server());
laws_http!(http_client, || drain().http_client());
laws!(grpc in Rpc, || drain().grpc());
