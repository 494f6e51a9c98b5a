//! What reconnects, over a connector whose connections are the service.

use portcullis_testkit::{laws, laws_http};

use crate::policies::reconnect;

laws!(boxed, reconnect);
laws_http!(http, reconnect);
