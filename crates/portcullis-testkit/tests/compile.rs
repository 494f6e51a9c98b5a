//! Compiling is passing: layers that every host takes.

use std::time::Duration;

use portcullis_testkit::{assert_box_clone_service, assert_box_clone_sync_service, assert_layer};
use tower::{BoxError, ServiceBuilder, layer::util::Identity, limit::RateLimitLayer, timeout::TimeoutLayer};

assert_layer!(TimeoutLayer::new(Duration::MAX));
// A good layer, whose service is not `Clone` and so cannot be boxed as one.
assert_layer!(RateLimitLayer::new(1, Duration::MAX));

assert_box_clone_service!(Identity::new(), String => u64, BoxError);
assert_box_clone_service!(TimeoutLayer::new(Duration::MAX), http::Request<()> => http::Response<()>, std::io::Error);
assert_box_clone_service!(
    ServiceBuilder::new().timeout(Duration::MAX).concurrency_limit(1).buffer::<u8>(1).into_inner(),
    u8 => u8,
    BoxError,
);

assert_box_clone_sync_service!(Identity::new(), String => u64, BoxError);
assert_box_clone_sync_service!(TimeoutLayer::new(Duration::MAX), String => u64, BoxError);
