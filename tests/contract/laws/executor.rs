//! The executor: the inner service is called in a task, and the laws hold all the same.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::executor,
};

laws!(boxed, executor);
laws!(typed in Shop, || executor().typed());
laws_http!(http_server, || executor().http_server());
laws_http!(http_client, || executor().http_client());
laws!(grpc in Rpc, || executor().grpc());
