//! The bulkhead, with keys and without: with room for the laws' ordinary traffic, and in single file, where it
//! waits.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{LIMIT, bulkhead, keyed_bulkhead, keyed_single_file, single_file},
};

laws!(boxed, bulkhead, limited_to = LIMIT);
laws!(typed in Shop, || bulkhead().typed(), limited_to = LIMIT);
laws_http!(http_server, || bulkhead().http_server(), limited_to = LIMIT);
laws_http!(http_client, || bulkhead().http_client(), limited_to = LIMIT);
laws!(grpc in Rpc, || bulkhead().grpc(), limited_to = LIMIT);

laws!(single_file_boxed, single_file, limited_to = 1);
laws!(single_file_typed in Shop, || single_file().typed(), limited_to = 1);
laws_http!(single_file_http_server, || single_file().http_server(), limited_to = 1);
laws_http!(single_file_http_client, || single_file().http_client(), limited_to = 1);
laws!(single_file_grpc in Rpc, || single_file().grpc(), limited_to = 1);

laws!(keyed_boxed, keyed_bulkhead, limited_to = LIMIT);
laws!(keyed_typed in Shop, || keyed_bulkhead().typed(), limited_to = LIMIT);
laws_http!(keyed_http_server, || keyed_bulkhead().http_server(), limited_to = LIMIT);
laws_http!(keyed_http_client, || keyed_bulkhead().http_client(), limited_to = LIMIT);
laws!(keyed_grpc in Rpc, || keyed_bulkhead().grpc(), limited_to = LIMIT);

laws!(keyed_single_file_boxed, keyed_single_file, limited_to = 1);
laws_http!(keyed_single_file_http_server, || keyed_single_file().http_server(), limited_to = 1);
laws!(keyed_single_file_grpc in Rpc, || keyed_single_file().grpc(), limited_to = 1);
