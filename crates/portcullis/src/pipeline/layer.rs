//! The pipeline in a tower stack.

use std::fmt;

use portcullis_core::{Name, pipeline::Side};
use tower_layer::Layer;

use super::{Explanation, Plan};

/// Policies, each at its place: a layer. A cheap handle; clones are the same pipeline.
///
/// Made by [`Pipeline::client`] and [`Pipeline::server`]; see the [module](crate::pipeline).
#[derive(Clone)]
pub struct Pipeline<L> {
    layers: L,
    plan: Plan,
}

impl<L> Pipeline<L> {
    pub(super) fn new(layers: L, plan: Plan) -> Self {
        Self { layers, plan }
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.plan.name()
    }

    /// Its side.
    pub fn side(&self) -> Side {
        self.plan.side()
    }

    /// The order, the longest call, the attempts, and what can never happen, with the settings of this moment.
    ///
    /// ```
    /// use portcullis::Pipeline;
    /// use std::time::Duration;
    ///
    /// let pipeline = Pipeline::client("inventory")
    ///     .deadline(Duration::from_secs(1))
    ///     .retry(portcullis::retry::Config::default())
    ///     .attempt_timeout(Duration::from_millis(600))
    ///     .http_client()
    ///     .build()?;
    /// assert_eq!(
    ///     pipeline.explain().to_string(),
    ///     "pipeline 'inventory', client, from the outside to the inside:\n\
    ///      \x20 1. deadline         'inventory': 1s\n\
    ///      \x20 2. retry            'inventory': 3 attempts, waits of 150ms in all, budget 20% of calls and 10 a second\n\
    ///      \x20 3. attempt_timeout  'inventory': 600ms\n\
    ///      longest call: 1s, where the deadline ends it; without it 61.95s\n\
    ///      attempts: one call is at most 3 attempts; all together are at most 1.2 times as many, and 10 a second\n\
    ///      never: retry 'inventory': when attempts take their 600ms, attempt 3 of 3 never begins within the deadline of 1s"
    /// );
    /// # Ok::<(), portcullis::pipeline::PipelineError>(())
    /// ```
    pub fn explain(&self) -> Explanation {
        self.plan.explain()
    }

    /// What it is made of, as its registry keeps it.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl<S, L: Layer<S>> Layer<S> for Pipeline<L> {
    type Service = L::Service;

    fn layer(&self, inner: S) -> L::Service {
        self.layers.layer(inner)
    }
}

impl<L> fmt::Debug for Pipeline<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("plan", &self.plan).finish_non_exhaustive()
    }
}
