//! The timeout. It is always ready, and waits for the inner service's readiness in the response future:
//! no law is against that, as long as the instance that was asked is the one that is called.

use std::time::Duration;

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{attempt, total, whole_response},
};

/// Almost as long as the shorter of the timeouts.
const WAITING: Duration = Duration::from_secs(25);

laws!(boxed, total);
laws!(typed in Shop, || total().typed());
laws_http!(http_server, || total().http_server());
laws_http!(http_client, || total().http_client());
laws!(grpc in Rpc, || total().grpc());

laws!(of_an_attempt, attempt, waiting = WAITING);
laws_http!(whole_http_server, || whole_response().http_server(), waiting = WAITING);
laws_http!(whole_http_client, || whole_response().http_client(), waiting = WAITING);
laws!(whole_grpc in Rpc, || whole_response().grpc(), waiting = WAITING);
