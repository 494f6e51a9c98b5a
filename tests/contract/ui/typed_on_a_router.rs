//! axum's services do not fail, so there is no error to carry a refusal.

use axum::{Router, routing::get};
use portcullis::{Timeout, TimeoutLayer};

fn main() {
    let layer = TimeoutLayer::new(Timeout::total("shop", std::time::Duration::from_secs(1)).unwrap()).typed();
    let _: Router = Router::new().route("/", get(async || "answered")).layer(layer);
}
