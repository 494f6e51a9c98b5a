//! Chaos: switched off, and with answers that come a little later and bodies that come slowly.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{chaos, slow_chaos},
};

laws!(boxed, chaos);
laws!(typed in Shop, || chaos().typed());
laws_http!(http_server, || chaos().http_server());
laws_http!(http_client, || chaos().http_client());
laws!(grpc in Rpc, || chaos().grpc());

laws!(slow_boxed, slow_chaos);
laws!(slow_typed in Shop, || slow_chaos().typed());
laws_http!(slow_http_server, || slow_chaos().http_server());
laws_http!(slow_http_client, || slow_chaos().http_client());
laws!(slow_grpc in Rpc, || slow_chaos().grpc());
