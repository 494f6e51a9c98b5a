//! Every policy in numbers, through the `metrics` facade.
//!
//! The policies count for themselves anyway, so metrics add nothing to the cost of a call. A
//! `Publisher`, which comes with the feature `metrics`, takes the numbers of a whole
//! [`Registry`](crate::Registry) to the recorder: every few seconds, or when it is scraped; and those of
//! a policy whose state changes at once.
//!
//! With the feature `prometheus`, `Prometheus::install()` sets the recorder and answers scrapes.
//!
//! The [`names`] are public interface: dashboards and alerts hang on them. `portcullis assets` writes some of both.
//!
//! A keyed policy is shown as one, however many keys it has: how many, the worst state of any, and the
//! changes of state and refusals of all. How their calls ended is not shown, neither for one nor for all,
//! but for the breaker of the keys without room, which has a name of its own, such as "upstream/(other)".
//! Ask a [key](crate::breaker::keyed::KeyBreaker::status) for its own.
//!
//! ```
//! use portcullis::{breaker::State, metrics::names};
//!
//! assert_eq!(names::BREAKER_STATE.name, "portcullis_breaker_state");
//! assert_eq!(names::breaker_state_number(State::Isolated), 4);
//! ```

mod buckets;
pub mod names;
#[cfg(feature = "prometheus")]
mod prometheus;
#[cfg(feature = "metrics")]
mod publisher;
#[cfg(feature = "metrics")]
mod series;
mod states;
#[cfg(feature = "metrics")]
mod turn;

#[cfg(feature = "prometheus")]
pub use prometheus::{CONTENT_TYPE, Prometheus, RecorderIsSet};
#[cfg(feature = "metrics")]
pub use publisher::{LEAST_INTERVAL, Publisher};

pub(crate) use buckets::Buckets;

/// Upper bounds of the buckets of this library's histograms, in seconds: from what memory answers to what nobody
/// waits for.
pub const BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// What took longer than one of [`BUCKETS`], and no longer than the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// How many were so since the policy was made.
    pub count: u64,
    /// How long they took together.
    pub sum: std::time::Duration,
}

/// A name that numbers are shown under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// Whether it counts or measures.
    pub kind: MetricKind,
    /// The labels. The first is for the name of the policy.
    pub labels: &'static [&'static str],
    /// What it means, in a few words.
    pub help: &'static str,
}

/// Kinds of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// A total that only grows.
    Counter,
    /// A value that comes and goes.
    Gauge,
    /// Values of which each counts.
    Histogram,
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Gauge, labels, help }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Histogram, labels, help }
}

/// Takes the numbers of one policy.
///
/// `labels` are the values of the metric's labels after the first, which is the policy's name.
pub trait Measures {
    /// What has been counted since the policy was made.
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64);

    /// What is measured now.
    fn gauge(&mut self, metric: &'static Metric, labels: &[&'static str], value: f64);

    /// What was measured each time: how many times since the policy was made, and the last few values, the
    /// youngest last. Values that are already gone from these when they are published are not seen.
    fn histogram(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64, last: &[f64]) {
        let _ = (metric, labels, total, last);
    }

    /// What was counted by how long it took: for each of [`BUCKETS`], and what took longer.
    fn buckets(&mut self, metric: &'static Metric, labels: &[&'static str], counted: &[Bucket]) {
        let _ = (metric, labels, counted);
    }
}
