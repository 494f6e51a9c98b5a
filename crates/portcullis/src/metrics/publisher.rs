//! From a registry to the recorder.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::{Name, PolicyKind};

use super::{MetricKind, names, series::Entry, turn::Turn};
use crate::{
    Registry,
    event::{EventKind, Interest, Subscription},
    registry::Policy,
};

/// Publishing more often than this tells nobody more and only costs time.
pub const LEAST_INTERVAL: Duration = Duration::from_millis(100);

/// Shows the policies of a registry through the `metrics` facade.
///
/// Set the recorder first: the facade binds what is made before to no recorder at all. One publisher for a
/// registry is enough, and two would count everything twice, even one after the other.
///
/// ```
/// use portcullis::{Breaker, Registry, metrics::Publisher};
///
/// let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
/// let scrape = recorder.handle();
/// metrics::set_global_recorder(recorder).expect("the first recorder");
///
/// let registry = Registry::new();
/// let publisher = Publisher::new(&registry);
/// let breaker = Breaker::builder("inventory").registry(&registry).build()?;
///
/// breaker.isolate(); // a change of state shows at once
/// assert!(scrape.render().contains(r#"portcullis_breaker_state{policy="inventory"} 4"#));
///
/// breaker.try_admit().unwrap_err();
/// publisher.publish(); // counts show when they are published
/// assert!(scrape.render().contains(r#"kind="breaker",outcome="rejected"} 1"#));
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
///
/// # Policies of one kind and name
///
/// Their counters add up, and the gauges show the youngest of them. When the last of them is dropped, its
/// gauges go to 0, with the next [`publish`](Self::publish).
///
/// Where a metric has no label for the kind, policies of two kinds and one name have one series between them: a keyed
/// breaker and a keyed rate limit that are both called `tenants` show the keys of one of them as
/// `portcullis_keyed_entries`. Give them names of their own.
///
/// What a policy counted between the last `publish` and being dropped is not seen.
pub struct Publisher {
    shared: Arc<Shared>,
    _changes: Subscription,
}

struct Shared {
    registry: Registry,
    /// By the address of the policy: it is not given to another while the entry is there.
    entries: Mutex<HashMap<usize, Arc<Entry>>>,
    lagged: Mutex<HashMap<&'static str, u64>>,
    lag_turn: Turn,
}

impl Publisher {
    /// A publisher of this registry. From now on, a change of state shows at once; everything else when it
    /// is published.
    pub fn new(registry: &Registry) -> Self {
        describe();
        let shared = Arc::new(Shared {
            registry: registry.clone(),
            entries: Mutex::default(),
            lagged: Mutex::default(),
            lag_turn: Turn::default(),
        });
        let weak = Arc::downgrade(&shared);
        let changes = registry.events().listen(Interest::Changes, move |event| {
            let shown = matches!(
                event.what,
                EventKind::StateChange(_) | EventKind::Endpoint(_) | EventKind::HealthChanged { .. }
            );
            if let (true, Some(shared)) = (shown, weak.upgrade()) {
                shared.show(event.kind, &event.policy);
            }
        });
        Self { shared, _changes: changes }
    }

    /// Shows every policy as it is now. Right before a scrape is a good time.
    pub fn publish(&self) {
        for (kind, name) in self.shared.registry.names() {
            self.shared.show(kind, &name);
        }
        self.shared.forget();
        self.shared.show_lagged();
        let overall = self.shared.registry.level().number();
        ::metrics::gauge!(names::HEALTH_OVERALL.name).set(f64::from(overall));
    }

    /// Publishes again and again, [`LEAST_INTERVAL`] apart at least, for as long as the future is polled.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// use portcullis::{Registry, metrics::Publisher};
    /// use std::time::Duration;
    ///
    /// let publisher = Publisher::new(Registry::global());
    /// let task = tokio::spawn(publisher.run(Duration::from_secs(5)));
    /// # task.abort();
    /// # }
    /// ```
    pub async fn run(self, every: Duration) {
        loop {
            self.publish();
            tokio::time::sleep(every.max(LEAST_INTERVAL)).await;
        }
    }
}

impl Shared {
    fn show(&self, kind: PolicyKind, name: &Name) {
        for policy in self.registry.family(kind, name) {
            self.entry(kind, name, &policy).show(&*policy, &self.registry);
        }
    }

    fn entry(&self, kind: PolicyKind, name: &Name, policy: &Arc<dyn Policy>) -> Arc<Entry> {
        let address = Arc::as_ptr(policy).cast::<()>() as usize;
        let new = || Arc::new(Entry::new(kind, name.clone(), policy));
        lock(&self.entries).entry(address).or_insert_with(new).clone()
    }

    /// Lets go of policies that are gone.
    fn forget(&self) {
        let mut gone = Vec::new();
        lock(&self.entries).retain(|_, entry| {
            let is_gone = entry.is_gone();
            if is_gone {
                gone.push(entry.clone());
            }
            !is_gone
        });
        for entry in gone {
            if self.registry.family(entry.kind, &entry.name).is_empty() {
                entry.clear();
                // And what shares a gauge with it shows that again.
                entry.other().into_iter().for_each(|other| self.show(other, &entry.name));
            }
        }
    }

    fn show_lagged(&self) {
        self.lag_turn.run(|| {
            for (subscriber, total) in self.registry.events().lost() {
                let counted = lock(&self.lagged).insert(subscriber, total).unwrap_or(0);
                let label = names::EVENTS_LAGGED.labels[0];
                ::metrics::counter!(names::EVENTS_LAGGED.name, label => subscriber)
                    .increment(total.saturating_sub(counted));
            }
        });
    }
}

fn describe() {
    for metric in names::ALL {
        match metric.kind {
            MetricKind::Counter => ::metrics::describe_counter!(metric.name, metric.help),
            MetricKind::Gauge => ::metrics::describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => ::metrics::describe_histogram!(metric.name, metric.help),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("policies", &lock(&self.shared.entries).len()).finish()
    }
}
