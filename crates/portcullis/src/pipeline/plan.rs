//! What a pipeline is made of, as a registry keeps it.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use portcullis_core::{
    Name,
    pipeline::{Facts, Part, Place, Repeats, Side, What, explain},
};

use super::Explanation;
use crate::registry::Policy;

/// A pipeline by its name: what it is made of. A cheap handle, which keeps no policy alive.
#[derive(Clone)]
pub struct Plan(Arc<Shared>);

struct Shared {
    name: Name,
    side: Side,
    members: Vec<Member>,
}

/// A policy at its place.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) place: Place,
    pub(super) name: Name,
    /// None for what is no policy, such as the health layer.
    pub(super) policy: Option<Weak<dyn Policy>>,
    pub(super) repeats: Repeats,
}

impl Plan {
    pub(super) fn new(name: Name, side: Side, members: Vec<Member>) -> Self {
        Self(Arc::new(Shared { name, side, members }))
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// Its side.
    pub fn side(&self) -> Side {
        self.0.side
    }

    /// The order, the longest call, the attempts, and what can never happen, with the settings of this moment.
    ///
    /// ```
    /// use portcullis::{Pipeline, Registry};
    ///
    /// let registry = Registry::new();
    /// let pipeline = Pipeline::client("inventory").registry(&registry).standard().http_client().build()?;
    /// println!("{}", registry.pipelines()[0].explain());
    /// # Ok::<(), portcullis::pipeline::PipelineError>(())
    /// ```
    pub fn explain(&self) -> Explanation {
        Explanation::new(explain(self.0.name.clone(), self.0.side, &self.parts()))
    }

    /// The policies and their settings at this moment.
    pub(super) fn parts(&self) -> Vec<Part> {
        self.0.members.iter().filter_map(Member::part).collect()
    }

    /// Whether anybody may still use it: any of its policies lives, or the pipeline itself.
    pub(super) fn is_alive(&self) -> bool {
        let lives = |member: &Member| member.policy.as_ref().is_some_and(|policy| policy.strong_count() > 0);
        Arc::strong_count(&self.0) > 1 || self.0.members.iter().any(lives)
    }
}

impl Member {
    fn part(&self) -> Option<Part> {
        let facts = match &self.policy {
            Some(policy) => policy.upgrade()?.facts(),
            None => None,
        };
        let facts = facts.unwrap_or(Facts::of(What::Other(String::new())));
        Some(Part { place: self.place, name: self.name.clone(), facts, repeats: self.repeats })
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} '{}'", self.place, self.name)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { name, side, members } = &*self.0;
        f.debug_struct("Plan").field("name", name).field("side", side).field("members", members).finish()
    }
}
