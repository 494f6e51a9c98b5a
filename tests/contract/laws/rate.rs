//! The rate limit: with permits for the laws' ordinary traffic, by key, and with so few that calls wait.

use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{keyed_rate_limit, rate_limit, spaced},
};

laws!(boxed, rate_limit);
laws!(typed in Shop, || rate_limit().typed());
laws_http!(http_server, || rate_limit().http_server());
laws_http!(http_server_headers, || rate_limit().http_server().headers());
laws_http!(http_client, || rate_limit().http_client());
laws!(grpc in Rpc, || rate_limit().grpc());

laws!(keyed_boxed, keyed_rate_limit);
laws_http!(keyed_http_server, || keyed_rate_limit().http_server().headers());

laws!(spaced_boxed, spaced);
laws!(spaced_typed in Shop, || spaced().typed());
laws_http!(spaced_http_server, || spaced().http_server());
laws_http!(spaced_http_client, || spaced().http_client());
laws!(spaced_grpc in Rpc, || spaced().grpc());
