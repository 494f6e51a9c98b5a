//! The pipelines of a registry.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use portcullis_core::Name;

use super::Plan;
use crate::Registry;

/// The pipelines of a registry, by name. Those that nobody uses any more are forgotten.
#[derive(Default)]
pub(crate) struct Kept(Mutex<BTreeMap<Name, Vec<Plan>>>);

impl Kept {
    pub(super) fn join(&self, plan: &Plan) {
        self.with(|plans| plans.entry(plan.name().clone()).or_default().push(plan.clone()));
    }

    fn with<T>(&self, use_them: impl FnOnce(&mut BTreeMap<Name, Vec<Plan>>) -> T) -> T {
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|_, plans| {
            plans.retain(Plan::is_alive);
            !plans.is_empty()
        });
        use_them(&mut plans)
    }
}

impl Registry {
    /// Every [pipeline](crate::pipeline) that is used, by name. One is there for as long as any of its policies is.
    pub fn pipelines(&self) -> Vec<Plan> {
        self.kept_pipelines().with(|plans| plans.values().flatten().cloned().collect())
    }

    /// The pipeline of this name; the youngest, if there are several.
    pub fn pipeline(&self, name: &str) -> Option<Plan> {
        self.kept_pipelines().with(|plans| plans.get(&Name::from(name))?.last().cloned())
    }
}
