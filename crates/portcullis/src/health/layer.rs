//! Health in a tower stack.

use tower_layer::Layer;

use super::{Health, HealthService};

/// Answers `/livez`, `/readyz` and `/health` in front of an HTTP service.
#[derive(Clone, Debug)]
pub struct HealthLayer {
    pub(super) health: Health,
    pub(super) prefix: &'static str,
}

impl HealthLayer {
    /// A layer that tells this health.
    pub fn new(health: Health) -> Self {
        Self { health, prefix: "" }
    }

    /// Answers below this path, such as `"/internal"` (default none).
    #[must_use]
    pub fn prefix(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix.trim_matches('/');
        self
    }
}

impl<S> Layer<S> for HealthLayer {
    type Service = HealthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HealthService::new(inner, self.clone())
    }
}
