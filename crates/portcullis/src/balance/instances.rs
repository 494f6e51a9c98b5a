//! A balancer's own instances of the endpoints' services.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower_service::Service;

use super::view::{Members, View};

/// Instances by place, made when they are first needed.
pub(super) struct Instances<S> {
    /// Of which the places are.
    members: Option<Members<S>>,
    /// The one that calls go to next, with its place. Alone, a balancer that is called once needs no more room.
    chosen: Option<(usize, S)>,
    /// Whether the chosen one was polled ready.
    is_ready: bool,
    others: Vec<Instance<S>>,
    /// How many of them were asked and were not ready.
    pending: usize,
}

enum Instance<S> {
    None,
    Idle(S),
    /// It may hold a place in a queue.
    Pending(S),
}

/// What an instance said.
pub(super) enum Asked<E> {
    Ready,
    Pending,
    Failed(E),
}

impl<S> Instances<S> {
    pub(super) fn new() -> Self {
        Self { members: None, chosen: None, is_ready: false, others: Vec::new(), pending: 0 }
    }

    /// The one that was polled ready.
    #[inline]
    pub(super) fn ready(&self) -> Option<usize> {
        self.chosen.as_ref().filter(|_| self.is_ready).map(|(at, _)| *at)
    }

    /// The one that was polled ready, to be called.
    #[inline]
    pub(super) fn take_ready(&mut self) -> Option<&mut S> {
        std::mem::take(&mut self.is_ready)
            .then_some(self.chosen.as_mut().map(|(_, service)| service))
            .flatten()
    }

    /// Gives up what was reserved.
    pub(super) fn give_up(&mut self) {
        if std::mem::take(&mut self.is_ready) {
            self.chosen = None;
        }
    }

    /// Keeps what fits to these endpoints: all, if they are the same.
    #[inline]
    pub(super) fn fit(&mut self, view: &View<S>) {
        let is_same = self.members.as_ref().is_some_and(|members| Arc::ptr_eq(members, &view.members));
        if !is_same {
            self.begin_anew(view);
        }
    }

    #[cold]
    #[inline(never)]
    fn begin_anew(&mut self, view: &View<S>) {
        *self = Self { members: Some(view.members.clone()), ..Self::new() };
    }
}

impl<S: Clone> Instances<S> {
    /// An instance to be taken along and polled elsewhere; an idle one, if there is one.
    pub(super) fn take(&mut self, view: &View<S>, at: usize) -> S {
        match self.chosen.take_if(|(chosen, _)| *chosen == at) {
            Some((_, service)) => {
                self.is_ready = false;
                service
            }
            None => self.unpark(at).unwrap_or_else(|| view.members[at].instance()),
        }
    }

    /// Asks the instance of this place. One that is ready is chosen; those that were not are given up then.
    #[inline]
    pub(super) fn poll_ready<Req>(
        &mut self,
        view: &View<S>,
        at: usize,
        cx: &mut Context<'_>,
    ) -> Asked<S::Error>
    where
        S: Service<Req>,
    {
        if self.chosen.as_ref().is_none_or(|(chosen, _)| *chosen != at) {
            self.park();
            let service = self.unpark(at).unwrap_or_else(|| view.members[at].instance());
            self.chosen = Some((at, service));
        }
        self.is_ready = false;
        let Some((_, service)) = &mut self.chosen else { return Asked::Pending };
        match service.poll_ready(cx) {
            Poll::Ready(Ok(())) => {
                self.is_ready = true;
                self.give_up_pending();
                Asked::Ready
            }
            Poll::Ready(Err(error)) => {
                self.chosen = None;
                Asked::Failed(error)
            }
            Poll::Pending => {
                if let Some((_, service)) = self.chosen.take() {
                    *self.slot(at) = Instance::Pending(service);
                    self.pending += 1;
                }
                Asked::Pending
            }
        }
    }

    /// Puts the chosen one back among the others.
    #[inline]
    fn park(&mut self) {
        self.is_ready = false;
        if let Some((at, service)) = self.chosen.take() {
            *self.slot(at) = Instance::Idle(service);
        }
    }

    #[inline]
    fn unpark(&mut self, at: usize) -> Option<S> {
        let slot = self.others.get_mut(at)?;
        match std::mem::replace(slot, Instance::None) {
            Instance::Idle(service) => Some(service),
            Instance::Pending(service) => {
                self.pending -= 1;
                Some(service)
            }
            Instance::None => None,
        }
    }

    #[inline]
    fn slot(&mut self, at: usize) -> &mut Instance<S> {
        if self.others.len() <= at {
            self.make_room(at);
        }
        &mut self.others[at]
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, at: usize) {
        let count = self.members.as_ref().map_or(0, |members| members.len()).max(at + 1);
        self.others.resize_with(count, || Instance::None);
    }

    #[inline]
    fn give_up_pending(&mut self) {
        if std::mem::take(&mut self.pending) > 0 {
            self.give_up_others();
        }
    }

    #[cold]
    #[inline(never)]
    fn give_up_others(&mut self) {
        let pending = self.others.iter_mut().filter(|slot| matches!(slot, Instance::Pending(_)));
        pending.for_each(|slot| *slot = Instance::None);
    }
}
