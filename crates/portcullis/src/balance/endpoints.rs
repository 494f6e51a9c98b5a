//! The set of endpoints.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::{
    ConfigError, Name,
    balance::{LONGEST_DECAY, Measure, SHORTEST_DECAY},
    check_range,
};

use super::{
    Outliers,
    end::End,
    view::{Member, Members, View},
};
use crate::clock;

/// The endpoints that a [`Balance`](super::Balance) sends calls to: a cheap handle to a shared set, which may
/// change while calls flow. Calls that are under way on an endpoint that is removed go on.
///
/// ```
/// use portcullis::{Endpoints, Outliers};
///
/// let endpoints = Endpoints::new(Outliers::new("inventory"));
/// endpoints.insert("10.0.0.1:80", "a service");
/// endpoints.insert_weighted("10.0.0.2:80", 3, "another");
/// assert!(endpoints.remove("10.0.0.1:80"));
/// assert_eq!(endpoints.len(), 1);
/// ```
pub struct Endpoints<S> {
    set: Arc<Set<S>>,
}

struct Set<S> {
    outliers: Outliers,
    measure: Measure,
    table: Mutex<Table<S>>,
}

struct Table<S> {
    members: Members<S>,
    /// What was last seen.
    view: Option<Arc<View<S>>>,
}

/// What an endpoint has to do at a moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EndpointLoad {
    /// Its name.
    pub name: Name,
    /// Calls in flight.
    pub in_flight: u32,
    /// How long a call takes, if that is [measured](Measure::PeakEwma), and one was seen.
    pub latency: Option<Duration>,
}

impl<S> Endpoints<S> {
    /// An empty set, whose outliers this policy ejects. Loads are measured by the calls in flight.
    pub fn new(outliers: Outliers) -> Self {
        Self::of(outliers, Measure::InFlight)
    }

    /// The same, with loads measured like this.
    ///
    /// ```
    /// use portcullis::{Endpoints, Outliers, balance::{DEFAULT_DECAY, Measure}};
    ///
    /// let endpoints = Endpoints::<()>::measuring(Outliers::new("inventory"), Measure::PeakEwma(DEFAULT_DECAY))?;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the time of a [`Measure::PeakEwma`] is not 10 ms to 24 h.
    pub fn measuring(outliers: Outliers, measure: Measure) -> Result<Self, ConfigError> {
        if let Measure::PeakEwma(decay) = measure {
            check_range("balance.peak_ewma", decay, SHORTEST_DECAY..=LONGEST_DECAY)?;
        }
        Ok(Self::of(outliers, measure))
    }

    fn of(outliers: Outliers, measure: Measure) -> Self {
        let table = Mutex::new(Table { members: Arc::new([]), view: None });
        Self { set: Arc::new(Set { outliers, measure, table }) }
    }

    /// The policy.
    pub fn outliers(&self) -> &Outliers {
        &self.set.outliers
    }

    /// Adds an endpoint of weight 1, or gives the one of this name another service, and that weight. What is
    /// known of one of this name stays: an ejection too.
    pub fn insert(&self, name: impl Into<Name>, service: S) {
        self.insert_weighted(name, 1, service);
    }

    /// The same with this weight; 1 to 1,000,000, to which others are brought. With twice the weight of another
    /// it gets twice the calls.
    pub fn insert_weighted(&self, name: impl Into<Name>, weight: u32, service: S) {
        let name = name.into();
        let shared = &self.set.outliers.shared;
        let mut table = self.set.lock();
        let known = table.members.iter().position(|member| member.name() == &*name);
        let end = match known {
            Some(at) => table.members[at].end.clone(),
            None => End::join(shared, name, weight, self.set.measure),
        };
        let member = Arc::new(Member::new(end.clone(), service));
        let before = table.put(known, member);
        drop(table);
        if known.is_some() {
            shared.fleet.reweigh(&end.endpoint, weight);
        }
        shared.waiters.wake_all();
        drop(before);
    }

    /// Removes an endpoint; whether there was one. The policy forgets it.
    pub fn remove(&self, name: &str) -> bool {
        let mut table = self.set.lock();
        let Some(at) = table.members.iter().position(|member| member.name() == name) else { return false };
        let gone = table.take(at);
        drop(table);
        gone.1.end.leave();
        true
    }

    /// Makes the set be these, each of weight 1: adds those that are missing, gives known ones their new service,
    /// and removes the others.
    pub fn replace(&self, endpoints: impl IntoIterator<Item = (impl Into<Name>, S)>) {
        let endpoints: Vec<(Name, S)> =
            endpoints.into_iter().map(|(name, service)| (name.into(), service)).collect();
        let stays = |name: &Name| endpoints.iter().any(|(kept, _)| kept == name);
        let gone: Vec<_> = self.names().into_iter().filter(|name| !stays(name)).collect();
        // First the new ones, so that there is always somebody.
        endpoints.into_iter().for_each(|(name, service)| self.insert(name, service));
        gone.into_iter().for_each(|name| {
            self.remove(&name);
        });
    }

    /// How many there are, with those that are ejected.
    pub fn len(&self) -> usize {
        self.set.lock().members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their names, in the order in which they were added.
    pub fn names(&self) -> Vec<Name> {
        self.set.lock().members.iter().map(|member| member.end.endpoint.name().clone()).collect()
    }

    /// What each has to do.
    pub fn loads(&self) -> Vec<EndpointLoad> {
        let now = clock::now();
        let load = |member: &Arc<Member<S>>| EndpointLoad {
            name: member.end.endpoint.name().clone(),
            in_flight: member.load().in_flight(),
            latency: member.load().latency(self.set.measure, now),
        };
        self.set.lock().members.iter().map(load).collect()
    }

    /// The endpoints as they are now.
    pub(super) fn view(&self) -> Arc<View<S>> {
        let fleet = &self.set.outliers.shared.fleet;
        let mut table = self.set.lock();
        // Before the rest is read: what changes after it is seen by its version.
        let version = fleet.version();
        match &table.view {
            Some(view) if view.version == version => view.clone(),
            _ => {
                let view = View::new(version, table.members.clone(), &fleet.config(), fleet.is_panicking());
                let view = Arc::new(view);
                let before = table.view.replace(view.clone());
                drop(table);
                drop(before);
                view
            }
        }
    }
}

impl<S> Table<S> {
    /// Puts a member in this place, or at the end. What was there before is to be dropped outside of the lock.
    fn put(&mut self, at: Option<usize>, member: Arc<Member<S>>) -> (Members<S>, Option<Arc<View<S>>>) {
        let mut members = self.members.to_vec();
        match at {
            Some(at) => members[at] = member,
            None => members.push(member),
        }
        (std::mem::replace(&mut self.members, members.into()), self.view.take())
    }

    fn take(&mut self, at: usize) -> (Option<Arc<View<S>>>, Arc<Member<S>>) {
        let mut members = self.members.to_vec();
        let gone = members.remove(at);
        self.members = members.into();
        (self.view.take(), gone)
    }
}

impl<S> Set<S> {
    fn lock(&self) -> MutexGuard<'_, Table<S>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Drop for Set<S> {
    fn drop(&mut self) {
        let table = self.table.get_mut().unwrap_or_else(PoisonError::into_inner);
        table.members.iter().for_each(|member| member.end.leave());
    }
}

impl<S> Clone for Endpoints<S> {
    fn clone(&self) -> Self {
        Self { set: self.set.clone() }
    }
}

impl<S> fmt::Debug for Endpoints<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints")
            .field("outliers", &self.set.outliers)
            .field("loads", &self.loads())
            .finish()
    }
}
