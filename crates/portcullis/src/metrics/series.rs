//! The handles of one policy's metrics.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use ::metrics::{Counter, Gauge, Histogram, Label};
use portcullis_core::{Name, PolicyKind};

use super::{BUCKETS, Bucket, Measures, Metric, names::HEALTH, turn::Turn};
use crate::{Registry, registry::Policy};

/// One policy, with a handle for each of its series.
pub(super) struct Entry {
    pub(super) kind: PolicyKind,
    pub(super) name: Name,
    policy: Weak<dyn Policy>,
    turn: Turn,
    /// Locked by who has the turn, so nobody waits for it.
    series: Mutex<Vec<Series>>,
}

struct Series {
    metric: &'static Metric,
    labels: Box<[&'static str]>,
    handle: Handle,
}

enum Handle {
    /// With how much of the policy's total is counted already.
    Counter(Counter, u64),
    Gauge(Gauge),
    /// With how many of the policy's values are recorded already.
    Histogram(Histogram, u64),
    /// With what was in the policy's buckets already.
    Buckets(Histogram, Vec<Bucket>),
}

impl Entry {
    pub(super) fn new(kind: PolicyKind, name: Name, policy: &Arc<dyn Policy>) -> Self {
        let policy = Arc::downgrade(policy);
        Self { kind, name, policy, turn: Turn::default(), series: Mutex::default() }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.policy.strong_count() == 0
    }

    /// Shows the policy as it is now. Gauges only of the youngest of its kind and name.
    pub(super) fn show(&self, policy: &dyn Policy, registry: &Registry) {
        self.turn.run(|| {
            let family = registry.family(self.kind, &self.name);
            let youngest = family.last().is_some_and(|last| std::ptr::addr_eq(Arc::as_ptr(last), policy));
            let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
            let floor = self.shares(registry).map_or(0, |other| other.snapshot().level.number());
            let floor = f64::from(floor);
            policy.measure(&mut Sink {
                name: &self.name,
                series: &mut series,
                next: 0,
                gauges: youngest,
                floor,
            });
        });
    }

    /// A check and a probe of one name have one gauge: it shows the worse of them.
    fn shares(&self, registry: &Registry) -> Option<Arc<dyn Policy>> {
        registry.family(self.other()?, &self.name).pop()
    }

    /// The kind of policies that have a gauge in common with this one, when they have its name, too.
    pub(super) fn other(&self) -> Option<PolicyKind> {
        match self.kind {
            PolicyKind::Check => Some(PolicyKind::Probe),
            PolicyKind::Probe => Some(PolicyKind::Check),
            _ => None,
        }
    }

    /// Of a policy that is gone nothing is open, in flight or full any more.
    pub(super) fn clear(&self) {
        for series in self.series.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Handle::Gauge(gauge) = &series.handle {
                gauge.set(0.0);
            }
        }
    }
}

/// Takes what a policy measures to its handles.
struct Sink<'a> {
    name: &'a Name,
    series: &'a mut Vec<Series>,
    /// Policies measure the same things in the same order, so the next one is nearly always the right one.
    next: usize,
    gauges: bool,
    /// How bad is what shares the gauge of its health.
    floor: f64,
}

impl Sink<'_> {
    fn handle(&mut self, metric: &'static Metric, labels: &[&'static str]) -> &mut Handle {
        let is_it = |series: &Series| series.metric.name == metric.name && *series.labels == *labels;
        let at = if self.series.get(self.next).is_some_and(is_it) {
            self.next
        } else if let Some(at) = self.series.iter().position(is_it) {
            at
        } else {
            self.series.push(Series::new(metric, self.name, labels));
            self.series.len() - 1
        };
        self.next = at + 1;
        &mut self.series[at].handle
    }
}

impl Measures for Sink<'_> {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64) {
        if let Handle::Counter(counter, counted) = self.handle(metric, labels) {
            // By the difference: policies of one name add up, and one that is made anew goes on.
            counter.increment(total.saturating_sub(*counted));
            *counted = total.max(*counted);
        }
    }

    fn gauge(&mut self, metric: &'static Metric, labels: &[&'static str], value: f64) {
        if !self.gauges {
            return;
        }
        let value = if metric.name == HEALTH.name { value.max(self.floor) } else { value };
        if let Handle::Gauge(gauge) = self.handle(metric, labels) {
            gauge.set(value);
        }
    }

    fn histogram(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64, last: &[f64]) {
        if let Handle::Histogram(histogram, recorded) = self.handle(metric, labels) {
            let new = usize::try_from(total.saturating_sub(*recorded)).unwrap_or(usize::MAX);
            last.iter().skip(last.len().saturating_sub(new)).for_each(|value| histogram.record(*value));
            *recorded = total.max(*recorded);
        }
    }

    fn buckets(&mut self, metric: &'static Metric, labels: &[&'static str], counted: &[Bucket]) {
        let handle = self.handle(metric, labels);
        // It is made as one that has its values one by one.
        if let Handle::Histogram(histogram, 0) = handle {
            *handle = Handle::Buckets(histogram.clone(), vec![Bucket::default(); counted.len()]);
        }
        let Handle::Buckets(histogram, recorded) = handle else { return };
        for (at, (now, before)) in counted.iter().zip(recorded).enumerate() {
            let count = now.count.saturating_sub(before.count);
            if count > 0 {
                let mean = now.sum.saturating_sub(before.sum).as_secs_f64() / count as f64;
                histogram.record_many(within(at, mean), usize::try_from(count).unwrap_or(usize::MAX));
                *before = *now;
            }
        }
    }
}

/// A value that belongs to the bucket: what is added to it is read in two steps.
fn within(at: usize, mean: f64) -> f64 {
    let least = if at == 0 { 0.0 } else { BUCKETS[at - 1] * (1.0 + f64::EPSILON) };
    mean.max(least).min(BUCKETS.get(at).copied().unwrap_or(f64::MAX))
}

impl Series {
    fn new(metric: &'static Metric, name: &Name, labels: &[&'static str]) -> Self {
        let owner = metric.labels.iter().take(1).map(|label| Label::new(*label, name.to_string()));
        let others = metric.labels.iter().skip(1).zip(labels).map(|(&name, &value)| Label::new(name, value));
        let all: Vec<Label> = owner.chain(others).collect();
        let handle = match metric.kind {
            super::MetricKind::Counter => Handle::Counter(::metrics::counter!(metric.name, all), 0),
            super::MetricKind::Gauge => Handle::Gauge(::metrics::gauge!(metric.name, all)),
            super::MetricKind::Histogram => Handle::Histogram(::metrics::histogram!(metric.name, all), 0),
        };
        Self { metric, labels: labels.into(), handle }
    }
}
