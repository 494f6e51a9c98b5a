//! A pool of threads: the inner service is called on another thread, and the laws hold all the same.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{LIMIT, thread_pool},
};

laws!(boxed, thread_pool, limited_to = LIMIT);
laws!(typed in Shop, || thread_pool().typed(), limited_to = LIMIT);
laws_http!(http_server, || thread_pool().http_server(), limited_to = LIMIT);
laws_http!(http_client, || thread_pool().http_client(), limited_to = LIMIT);
laws!(grpc in Rpc, || thread_pool().grpc(), limited_to = LIMIT);
