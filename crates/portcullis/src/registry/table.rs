//! Policies by kind and name.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Weak},
};

use portcullis_core::{Name, PolicyKind};

use super::Policy;

/// With fewer entries than this, looking for policies that are gone is not worth it.
pub(super) const SWEEP_AT_LEAST: usize = 64;

/// A table that keeps nothing alive.
#[derive(Default)]
pub(super) struct Table {
    /// Several may have one kind and name, such as the two timeouts of a stack.
    policies: HashMap<(PolicyKind, Name), Vec<Entry>>,
    joined: usize,
    /// With this many joined it is time to look for policies that are gone.
    sweep_at: usize,
}

/// What handles of a policy are made of.
pub(super) type WeakHandle = Weak<dyn Any + Send + Sync>;

/// A policy of the table.
pub(super) struct Entry {
    policy: Weak<dyn Policy>,
    /// What its handle is made of, where that is more than the policy.
    handle: Option<WeakHandle>,
}

impl Entry {
    pub(super) fn new(policy: &Arc<impl Policy>, handle: Option<WeakHandle>) -> Self {
        Self { policy: Arc::downgrade(policy) as Weak<_>, handle }
    }

    pub(super) fn policy(&self) -> Option<Arc<dyn Policy>> {
        self.policy.upgrade()
    }

    /// What a [`Handle`](super::Handle) is made of.
    pub(super) fn handle(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        match &self.handle {
            Some(handle) => handle.upgrade(),
            None => self.policy().map(|policy| policy.into_any()),
        }
    }

    fn is_gone(&self) -> bool {
        self.policy.strong_count() == 0
    }
}

impl Table {
    pub(super) fn add(&mut self, kind: PolicyKind, name: Name, entry: Entry) {
        self.policies.entry((kind, name)).or_default().push(entry);
        self.joined += 1;
        if self.joined >= self.sweep_at {
            self.sweep();
        }
    }

    /// Those of this kind and name, the youngest last.
    pub(super) fn of(&self, kind: PolicyKind, name: &Name) -> &[Entry] {
        self.policies.get(&(kind, name.clone())).map_or(&[], Vec::as_slice)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.policies.values().flatten()
    }

    #[cfg(any(feature = "metrics", feature = "restart"))]
    pub(super) fn names(&self) -> Vec<(PolicyKind, Name)> {
        self.policies.keys().cloned().collect()
    }

    /// Takes out all there is.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (PolicyKind, Name, Entry)> {
        std::mem::take(&mut self.policies).into_iter().flat_map(|((kind, name), entries)| {
            entries.into_iter().map(move |entry| (kind, name.clone(), entry))
        })
    }

    fn sweep(&mut self) {
        self.policies.retain(|_, entries| {
            entries.retain(|entry| !entry.is_gone());
            !entries.is_empty()
        });
        self.joined = self.policies.values().map(Vec::len).sum();
        self.sweep_at = (2 * self.joined).max(SWEEP_AT_LEAST);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.policies.len()
    }
}
