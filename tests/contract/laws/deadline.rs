//! Deadlines. The layer is always ready, and waits for the inner service's readiness in the response future, as the
//! timeout does.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::deadline,
};

laws!(boxed, deadline);
laws!(typed in Shop, || deadline().typed());
laws_http!(http_server, || deadline().http_server());
laws_http!(http_client, || deadline().http_client());
laws!(grpc in Rpc, || deadline().grpc());
