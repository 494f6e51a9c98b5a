//! The fallback, for failures that the laws do not make, and the failover to another of the same.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{failover, fallback, response},
};

laws!(boxed, fallback);
laws!(typed in Shop, || fallback().typed());
laws_http!(http_server, || fallback().http_server());
laws_http!(http_client, || fallback().http_client());
laws!(grpc in Rpc, || fallback().grpc());

laws_http!(response_http_server, || response().http_server());
laws_http!(response_http_client, || response().http_client());
laws!(response_grpc in Rpc, || response().grpc());

laws!(failover_boxed, || failover(|service| service), attempts = 2);
laws!(failover_typed in Shop, || failover(|service| service.typed()), attempts = 2);
laws_http!(failover_http_client, || failover(|service| service.http_client()), attempts = 2);
laws!(failover_grpc in Rpc, || failover(|service| service.grpc()), attempts = 2);
