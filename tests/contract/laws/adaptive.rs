//! The adaptive limit, with room for the laws' ordinary traffic.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{LIMIT, adaptive},
};

laws!(boxed, adaptive, limited_to = LIMIT);
laws!(typed in Shop, || adaptive().typed(), limited_to = LIMIT);
laws_http!(http_server, || adaptive().http_server(), limited_to = LIMIT);
laws_http!(http_client, || adaptive().http_client(), limited_to = LIMIT);
laws!(grpc in Rpc, || adaptive().grpc(), limited_to = LIMIT);
