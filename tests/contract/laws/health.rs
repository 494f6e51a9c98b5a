//! The health layer, for requests that it does not answer itself. Like the timeout it is always ready.

use portcullis_testkit::{laws, laws_http};

use crate::{exchange::Rpc, policies::health};

laws_http!(http, health);
laws_http!(below_a_prefix, || health().prefix("/internal"));
laws!(grpc in Rpc, health);
