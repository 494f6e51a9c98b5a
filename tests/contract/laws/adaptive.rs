//! The adaptive limit, with room for the laws' ordinary traffic.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{LIMIT, adaptive, keyed_adaptive},
};

laws!(boxed, adaptive, limited_to = LIMIT);
laws!(typed in Shop, || adaptive().typed(), limited_to = LIMIT);
laws_http!(http_server, || adaptive().http_server(), limited_to = LIMIT);
laws_http!(http_client, || adaptive().http_client(), limited_to = LIMIT);
laws!(grpc in Rpc, || adaptive().grpc(), limited_to = LIMIT);

laws!(keyed_boxed, keyed_adaptive, limited_to = LIMIT);
laws_http!(keyed_http_client, || keyed_adaptive().http_client(), limited_to = LIMIT);
laws!(keyed_grpc in Rpc, || keyed_adaptive().grpc(), limited_to = LIMIT);
