//! Load shedding: with room for the laws' ordinary traffic, and with one that reads requests.

use portcullis::Priority;
use portcullis_testkit::{laws, laws_http};

use crate::{
    exchange::{Rpc, Shop},
    policies::{LIMIT, load_shed},
};

laws!(boxed, load_shed, limited_to = LIMIT);
laws!(typed in Shop, || load_shed().typed(), limited_to = LIMIT);
laws_http!(http_server, || load_shed().http_server(), limited_to = LIMIT);
laws_http!(http_client, || load_shed().http_client(), limited_to = LIMIT);
laws!(grpc in Rpc, || load_shed().grpc(), limited_to = LIMIT);

fn highest<Req>(_: &Req) -> Priority {
    Priority::Highest
}

fn never<Req>(_: &Req) -> bool {
    false
}

laws!(reading_boxed, || load_shed().prioritize(highest).exempt(never), limited_to = LIMIT);
laws_http!(
    reading_http_server,
    || load_shed().priority_extension().exempt_paths(["/livez"]).http_server(),
    limited_to = LIMIT
);
