//! The peek in a tower stack.

use tower_layer::Layer;

use super::PeekService;

/// Waits with each gRPC answer for what follows its head; see [the module](super).
///
/// It belongs below a [`RetryLayer`](crate::RetryLayer) with `.grpc()`, and above breakers and the like.
/// Errors come back as [`CallError`](crate::protocol::CallError), as they do from those.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeekLayer(());

impl PeekLayer {
    /// The layer.
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for PeekLayer {
    type Service = PeekService<S>;

    fn layer(&self, inner: S) -> PeekService<S> {
        PeekService::new(inner)
    }
}
