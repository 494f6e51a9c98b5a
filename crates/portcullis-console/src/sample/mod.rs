//! Rates and history: what all policies have counted, looked at every two seconds.
//!
//! Policies count from when they were made, and know no rates. [`metrics`](portcullis::metrics) leave these to Prometheus;
//! a page that works without one needs a few minutes of its own.

pub(crate) mod percentile;
pub(crate) mod reading;
mod track;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use portcullis::{Name, Registry, registry::Policy};
use tokio::time::{MissedTickBehavior, interval};

use crate::console::Shared;
use reading::{Durations, Reading};
use track::Track;
pub(crate) use track::{History, Recent};

/// The time from one look to the next.
pub(crate) const STEP: Duration = Duration::from_secs(2);
/// How many steps are kept: five minutes.
const STEPS: usize = 150;
/// How many steps rates are of: ten seconds.
const RECENT: usize = 5;

/// What was counted, by the address of the policy: it is not given to another while the track is there.
#[derive(Default)]
pub(crate) struct Samples(Mutex<HashMap<usize, Track>>);

impl Samples {
    /// Looks at every policy.
    pub(crate) fn look(&self, registry: &Registry) {
        // Policies are asked without a lock held.
        let read = |policy: Arc<dyn Policy>| {
            let reading = Reading::of(&*policy);
            let name = reading.durations.map(|_| policy.snapshot().name);
            (reading, name, policy)
        };
        let readings: Vec<_> = registry.policies().into_iter().map(read).collect();
        let mut tracks = self.lock();
        tracks.retain(|_, track| !track.is_gone());
        for (reading, name, policy) in readings {
            match tracks.get_mut(&address(&policy)) {
                Some(track) => track.add(&reading, name),
                None => drop(tracks.insert(address(&policy), Track::new(&policy, &reading))),
            }
        }
    }

    /// Rates of each of these policies, in their order; `None` for one that was not looked at yet.
    pub(crate) fn recent(&self, policies: &[Arc<dyn Policy>]) -> Vec<Option<Recent>> {
        let tracks = self.lock();
        policies.iter().map(|policy| tracks.get(&address(policy)).map(Track::recent)).collect()
    }

    /// How long calls took in the last seconds, by the name under which they are observed.
    pub(crate) fn durations(&self) -> HashMap<Name, Durations> {
        self.lock().values().filter_map(Track::observed).collect()
    }

    /// What each of these counted in the last minutes, in their order.
    pub(crate) fn history(&self, policies: &[Arc<dyn Policy>]) -> Vec<History> {
        let tracks = self.lock();
        let of = |policy| tracks.get(&address(policy)).map_or_else(History::empty, Track::history);
        policies.iter().map(of).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Track>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn address(policy: &Arc<dyn Policy>) -> usize {
    Arc::as_ptr(policy).cast::<()>() as usize
}

/// Looks again and again, until the console is gone.
pub(crate) async fn run(console: Weak<Shared>) {
    let mut ticks = interval(STEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let Some(console) = console.upgrade() else { return };
        console.samples.look(&console.registry);
    }
}

#[cfg(test)]
mod tests {
    use portcullis::Breaker;

    use super::*;

    #[test]
    fn of_no_calls_there_are_none_a_second_and_not_less() {
        let (registry, samples) = (Registry::new(), Samples::default());
        let _breaker = Breaker::builder("inventory").registry(&registry).build().unwrap();
        samples.look(&registry);
        let recent = samples.recent(&registry.policies()).remove(0).unwrap();
        assert!(recent.calls_per_s.is_sign_positive() && recent.refused_per_s.is_sign_positive());
        assert_eq!((recent.calls_per_s, recent.failure_ratio), (0.0, None));
    }
}
