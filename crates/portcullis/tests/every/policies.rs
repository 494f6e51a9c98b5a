//! One of every policy.

use std::{any::Any, sync::Arc, time::Duration};

use portcullis::{
    AdaptiveLimit, BoxError, Breaker, Bulkhead, Cache, Chaos, Coalesce, Drain, Executor, Failure,
    FailureKind, Fallback, HealthMonitor, Hedge, KeyedAdaptiveLimit, KeyedBreaker, KeyedBulkhead, KeyedHedge,
    KeyedRateLimit, KeyedRetry, KeyedThrottle, LoadShed, Observer, Outliers, PolicyKind, Probe, RateLimit,
    Reconnect, Registry, RetryBudget, RetryPolicy, ThreadPool, Throttle, Ticket, Timeout, Verdict,
    fallback::Failover, registry::Policy, retry::BudgetConfig,
};
use tower::service_fn;

/// A policy of some kind, in a registry.
pub(crate) struct Sample {
    /// What it is called.
    pub(crate) name: &'static str,
    pub(crate) policy: Arc<dyn Policy>,
    /// Lets it see what a reset is to forget; nothing, where nothing is.
    pub(crate) disturb: Box<dyn Fn()>,
    /// What the snapshot does not say, in words: how one key is.
    pub(crate) look: Box<dyn Fn() -> String>,
    _handle: Box<dyn Any>,
}

/// Puts them into one registry.
struct Samples<'a> {
    registry: &'a Registry,
    all: Vec<Sample>,
}

impl Samples<'_> {
    fn add<H: Clone + 'static>(
        &mut self,
        kind: PolicyKind,
        name: &'static str,
        handle: H,
        disturb: impl Fn(&H) + 'static,
    ) {
        let policy = self.registry.get(kind, name).unwrap();
        let of = handle.clone();
        self.all.push(Sample {
            name,
            policy,
            disturb: Box::new(move || disturb(&of)),
            look: Box::new(String::new),
            _handle: Box::new(handle),
        });
    }
}

/// One of every policy, and of every keyed form, in this registry.
pub(crate) fn every(registry: &Registry) -> Vec<Sample> {
    let mut samples = Samples { registry, all: Vec::new() };
    breakers(&mut samples);
    limits(&mut samples);
    keyed_limits(&mut samples);
    attempts(&mut samples);
    answers(&mut samples);
    others(&mut samples);
    samples.all
}

fn failure() -> Verdict {
    Failure::new(FailureKind::Unavailable).into()
}

fn none<H>(_: &H) {}

fn breakers(to: &mut Samples<'_>) {
    let registry = to.registry;
    let breaker = Breaker::builder("breaker").registry(registry).build().unwrap();
    to.add(PolicyKind::Breaker, "breaker", breaker, |breaker| {
        breaker.try_admit().unwrap().settle(failure());
    });
    let keyed = KeyedBreaker::<Box<str>>::builder("keyed breaker").registry(registry).build().unwrap();
    to.add(PolicyKind::Breaker, "keyed breaker", keyed, |keyed| keyed.get_or_make("key").unwrap().trip());
}

fn limits(to: &mut Samples<'_>) {
    let registry = to.registry;
    let bulkhead = Bulkhead::builder("bulkhead").registry(registry).build().unwrap();
    to.add(PolicyKind::Bulkhead, "bulkhead", bulkhead, none);
    let rate = RateLimit::builder("rate").registry(registry).build().unwrap();
    to.add(PolicyKind::RateLimit, "rate", rate, none);
    let adaptive = AdaptiveLimit::builder("adaptive").registry(registry).build().unwrap();
    to.add(PolicyKind::AdaptiveLimit, "adaptive", adaptive, none);
    let throttle = Throttle::builder("throttle").registry(registry).build().unwrap();
    to.add(PolicyKind::Throttle, "throttle", throttle, |throttle| {
        throttle.try_admit().unwrap().settle(failure());
    });
    let shed = LoadShed::builder("shed").registry(registry).build().unwrap();
    to.add(PolicyKind::LoadShed, "shed", shed, none);
    let pool = ThreadPool::builder("pool").registry(registry).build().unwrap();
    to.add(PolicyKind::ThreadPool, "pool", pool, none);
}

fn keyed_limits(to: &mut Samples<'_>) {
    let registry = to.registry;
    let bulkhead = KeyedBulkhead::<Box<str>>::builder("keyed bulkhead").registry(registry).build().unwrap();
    to.add(PolicyKind::Bulkhead, "keyed bulkhead", bulkhead, none);
    let rate = KeyedRateLimit::<Box<str>>::builder("keyed rate").registry(registry).build().unwrap();
    to.add(PolicyKind::RateLimit, "keyed rate", rate, |rate| drop(rate.limit("key").try_admit()));
    let adaptive = KeyedAdaptiveLimit::<Box<str>>::builder("keyed adaptive").registry(registry);
    to.add(PolicyKind::AdaptiveLimit, "keyed adaptive", adaptive.build().unwrap(), |adaptive| {
        drop(adaptive.limit("key").try_admit());
    });
    let throttle = KeyedThrottle::<Box<str>>::builder("keyed throttle").min_requests(1).registry(registry);
    let throttle = throttle.build().unwrap();
    // To look at it later makes no key any more.
    drop(throttle.throttle("key"));
    let kept = throttle.clone();
    to.add(PolicyKind::Throttle, "keyed throttle", throttle, |throttle| {
        throttle.throttle("key").try_admit().unwrap().settle(failure());
    });
    if let Some(last) = to.all.last_mut() {
        last.look = Box::new(move || format!("{:?}", kept.throttle("key").status()));
    }
}

fn attempts(to: &mut Samples<'_>) {
    let registry = to.registry;
    let budget = RetryBudget::in_registry("budget", BudgetConfig::default(), registry).unwrap();
    to.add(PolicyKind::Budget, "budget", budget, none);
    let retry = RetryPolicy::builder("retry").registry(registry).build().unwrap();
    to.add(PolicyKind::Retry, "retry", retry, none);
    let keyed = KeyedRetry::<Box<str>>::builder("keyed retry").registry(registry).build().unwrap();
    to.add(PolicyKind::Retry, "keyed retry", keyed, none);
    let hedge = Hedge::builder("hedge").registry(registry).build().unwrap();
    to.add(PolicyKind::Hedge, "hedge", hedge, none);
    let keyed = KeyedHedge::<Box<str>>::builder("keyed hedge").registry(registry).build().unwrap();
    to.add(PolicyKind::Hedge, "keyed hedge", keyed, none);
    let timeout = Timeout::builder("timeout", Duration::from_secs(1)).registry(registry).build().unwrap();
    to.add(PolicyKind::Timeout, "timeout", timeout, none);
}

fn answers(to: &mut Samples<'_>) {
    let registry = to.registry;
    let fallback = Fallback::builder("fallback").registry(registry).build().unwrap();
    to.add(PolicyKind::Fallback, "fallback", fallback, none);
    let failover = Failover::builder("failover").registry(registry);
    let provider = service_fn(|(): ()| async { Ok::<_, BoxError>(()) });
    let failover = failover.provider("one", provider).provider("two", provider).build().unwrap();
    to.add(PolicyKind::Failover, "failover", failover, none);
    let cache = Cache::<Box<str>, u32>::builder("cache").registry(registry).build().unwrap();
    to.add(PolicyKind::Cache, "cache", cache, |cache| cache.insert("key".into(), 1));
    let coalesce = Coalesce::builder("coalesce").registry(registry).build().unwrap();
    to.add(PolicyKind::Coalesce, "coalesce", coalesce, none);
}

fn others(to: &mut Samples<'_>) {
    let registry = to.registry;
    let outliers = Outliers::builder("balance").max_ejected_share(0.5).registry(registry).build().unwrap();
    let hosts = Arc::new(["a", "b"].map(|name| outliers.join(name)));
    to.add(PolicyKind::Balance, "balance", (outliers, hosts), |(outliers, _)| {
        assert!(outliers.eject("a", Duration::from_secs(60)));
    });
    let reconnect = Reconnect::builder("reconnect").registry(registry).build().unwrap();
    to.add(PolicyKind::Reconnect, "reconnect", reconnect, none);
    let chaos = Chaos::builder("chaos").error(1.0, FailureKind::Other).registry(registry).build().unwrap();
    to.add(PolicyKind::Chaos, "chaos", chaos, none);
    let executor = Executor::builder("executor").registry(registry).build().unwrap();
    to.add(PolicyKind::Executor, "executor", executor, none);
    let drain = Drain::builder("drain").registry(registry).build().unwrap();
    to.add(PolicyKind::Drain, "drain", drain, none);
    let observer = Observer::builder("observer").registry(registry).build().unwrap();
    to.add(PolicyKind::Observer, "observer", observer, none);
    let probe = Probe::builder("probe").registry(registry).build().unwrap();
    to.add(PolicyKind::Probe, "probe", probe, none);
    let monitor = HealthMonitor::new(registry);
    monitor.check("check").on_demand().spawn(|| async { Ok::<_, BoxError>(()) }).unwrap();
    to.add(PolicyKind::Check, "check", monitor, none);
}

/// Every kind has a sample; what stands for all of them is no policy.
#[tokio::test(start_paused = true)]
async fn no_kind_is_left_out() {
    let registry = Registry::new();
    let all = every(&registry);
    for kind in PolicyKind::ALL.into_iter().filter(|kind| *kind != PolicyKind::Registry) {
        assert!(all.iter().any(|sample| sample.policy.snapshot().kind == kind), "{kind}");
    }
}
