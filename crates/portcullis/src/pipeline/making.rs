//! A pipeline that is being built.

use portcullis_core::{
    Name,
    pipeline::{Place, Repeats},
};

use super::plan;
use crate::{Observer, Registry, RetryBudget, registry};

/// A pipeline that is being built: what its parts may have to know.
#[derive(Debug)]
pub struct Making<'a, D> {
    name: &'a Name,
    registry: &'a Registry,
    dialect: &'a D,
    budget: Option<RetryBudget>,
    observer: Option<Observer>,
    members: Vec<plan::Member>,
}

impl<'a, D> Making<'a, D> {
    pub(super) fn new(name: &'a Name, registry: &'a Registry, dialect: &'a D) -> Self {
        Self { name, registry, dialect, budget: None, observer: None, members: Vec::new() }
    }

    /// The pipeline's name, and that of policies made from settings.
    pub fn name(&self) -> &Name {
        self.name
    }

    /// Where policies made from settings join.
    pub fn registry(&self) -> &Registry {
        self.registry
    }

    /// The protocol.
    pub fn dialect(&self) -> &D {
        self.dialect
    }

    /// The budget that attempts further in have to share, without counting calls.
    pub fn budget(&self) -> Option<RetryBudget> {
        self.budget.as_ref().map(RetryBudget::withdraw_only)
    }

    /// Who sees the calls, and is to see the attempts further in.
    pub(super) fn observer(&self) -> Option<Observer> {
        self.observer.clone()
    }

    /// Lets attempts further in be seen by this one.
    pub(super) fn observe(&mut self, observer: &Observer) {
        self.observer = Some(observer.clone());
    }

    /// Adds a part of its [`Member::member`](registry::Member::member) to what the pipeline is made of.
    pub fn add(&mut self, place: Place, member: &impl registry::Member, repeats: Repeats) {
        let (name, policy) = match member.member() {
            Some((name, policy)) => (name, Some(policy)),
            None => (self.name.clone(), None),
        };
        self.budget = self.budget.take().or_else(|| member.budget());
        self.members.push(plan::Member { place, name, policy, repeats });
    }

    /// For a part that nobody is to know of.
    pub(super) fn aside(&self) -> Self {
        Self::new(self.name, self.registry, self.dialect)
    }

    pub(super) fn into_members(self) -> Vec<plan::Member> {
        self.members
    }
}
