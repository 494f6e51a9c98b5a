//! Files that nobody wrote.

use proptest::prelude::*;

use super::*;
use crate::{
    AdaptiveLimit, Breaker, Bulkhead, Hedge, KeyedBreaker, Outliers, RateLimit, RetryBudget, Throttle,
    Timeout,
    balance::OutlierEndpoint,
    restart::file::{Document, One, Unfit},
    retry::BudgetConfig,
    timeout::Adaptive,
};

/// So many write something down: all of [`Service`], and the budget of its hedge.
const KINDS: usize = 14;

/// One of each.
struct Service {
    breaker: Breaker,
    keyed: KeyedBreaker,
    rates: [RateLimit; 2],
    budgets: [RetryBudget; 3],
    adaptive: AdaptiveLimit,
    timeout: Timeout,
    hedge: Hedge,
    throttle: Throttle,
    bulkhead: Bulkhead,
    fleet: Outliers,
    hosts: [OutlierEndpoint; 2],
}

impl Service {
    fn new(registry: &Registry) -> Self {
        let rate = |name: &str| RateLimit::builder(name.to_owned()).registry(registry);
        let budget =
            |name: &str, config| RetryBudget::in_registry(name.to_owned(), config, registry).unwrap();
        let fleet = Outliers::builder("x").registry(registry).build().unwrap();
        let adaptive = Adaptive { min_calls: 1, ..Adaptive::default() };
        Self {
            breaker: Breaker::builder("x").time_window(s(10)).registry(registry).build().unwrap(),
            keyed: KeyedBreaker::builder("keys").consecutive_failures(1).registry(registry).build().unwrap(),
            rates: [rate("x").build().unwrap(), rate("sliding").sliding_window().build().unwrap()],
            budgets: [
                budget("share", BudgetConfig::default()),
                budget("throttle", BudgetConfig::THROTTLE),
                budget("cost", BudgetConfig::COST),
            ],
            adaptive: AdaptiveLimit::builder("x").registry(registry).build().unwrap(),
            timeout: Timeout::builder("x", s(2)).adaptive(adaptive).registry(registry).build().unwrap(),
            hedge: Hedge::builder("x").percentile(0.95).registry(registry).build().unwrap(),
            throttle: Throttle::builder("x").registry(registry).build().unwrap(),
            bulkhead: Bulkhead::builder("x").registry(registry).build().unwrap(),
            hosts: ["a", "b"].map(|name| fleet.join(name)),
            fleet,
        }
    }

    /// Something of everything happens, as far as it may; nothing panics or takes long.
    async fn works(&self) {
        let take = || async {
            tokio::time::sleep(Duration::from_millis(3)).await;
            Ok::<_, crate::BoxError>(())
        };
        let _ = (self.timeout.call(take).await, self.hedge.call(|_| take()).await);
        for _ in 0..10 {
            self.breaker.try_admit().into_iter().for_each(|mut ticket| ticket.settle(failed()));
            self.keyed.try_admit("k").into_iter().for_each(|mut ticket| ticket.settle(failed()));
            self.adaptive.try_admit().into_iter().for_each(|mut ticket| ticket.settle(failed()));
            self.throttle.try_admit().into_iter().for_each(|mut ticket| ticket.settle(failed()));
            self.hosts.iter().for_each(|host| host.admit().settle(failed()));
            let _ = self.rates.each_ref().map(RateLimit::try_admit);
            let _ = self.bulkhead.try_admit();
            self.budgets.iter().for_each(|budget| {
                let _ = budget.withdraw(FailureKind::Other);
            });
        }
        let _ = (self.fleet.status(), self.breaker.status(), self.adaptive.status(), self.timeout.status());
    }
}

/// The text of a service that has worked.
fn written() -> (Document, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let registry = Registry::new();
        let service = Service::new(&registry);
        service.works().await;
        registry.get(crate::PolicyKind::Bulkhead, "x").unwrap().stop("by hand");
        let document = document(&registry, SystemTime::UNIX_EPOCH + s(1_000));
        assert_eq!(document.policies.len(), KINDS);
        let text = write_text(&document).unwrap();
        (document, text)
    })
}

fn resumed(document: &Document, after: Duration) -> Restored {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let registry = Registry::new();
        let service = Service::new(&registry);
        let told = take_over(&registry, document, SystemTime::UNIX_EPOCH + s(1_000) + after);
        service.works().await;
        told
    })
}

#[test]
fn every_kind_is_written_down_and_taken_over() {
    let (document, text) = written();
    assert_eq!(read_text(text.as_bytes()), Ok(document.clone()));
    let told = resumed(&document, s(1));
    assert_eq!((told.restored.len(), told.unknown.len()), (KINDS, 0), "{told}");
}

/// A change of the text.
#[derive(Clone, Debug)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Drop(prop::sample::Index, u8),
}

fn damages() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 1u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        at().prop_map(Damage::Cut),
        (at(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at(), 1u8..).prop_map(|(at, count)| Damage::Drop(at, count)),
    ]
}

fn damaged(text: &str, damage: &Damage) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    match damage {
        Damage::Flip(at, bits) => {
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
        }
        Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Damage::Insert(at, other) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, other.iter().copied());
        }
        Damage::Drop(at, count) => {
            let at = at.index(bytes.len());
            bytes.drain(at..(at + usize::from(*count)).min(text.len()));
        }
    }
    bytes
}

proptest! {
    /// Whatever happened to the bytes, they are refused, or say the same: spaces around the state are no matter.
    #[test]
    fn a_damaged_file_is_refused(damage in damages()) {
        let (document, text) = written();
        if let Ok(read) = read_text(&damaged(&text, &damage)) {
            prop_assert_eq!(read, document);
        }
    }

    /// What has a right sum and says nonsense is taken as far as it goes.
    #[test]
    fn nonsense_that_was_signed_harms_nobody(
        seeds in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..30),
        odd in prop::collection::vec(prop_oneof![
            Just(0u64), Just(1), Just(u64::MAX), Just(i64::MAX as u64), any::<u64>(), Just(u64::from(u32::MAX)),
        ], 1..10),
        after in prop_oneof![Just(0u64), 0u64..100, any::<u32>().prop_map(u64::from)],
    ) {
        let (document, _) = written();
        let mut value = serde_json::to_value(&document).unwrap();
        for (which, what) in seeds {
            let mut numbers = Vec::new();
            collect(&mut value, &mut numbers);
            let number = numbers.swap_remove(which.index(numbers.len()));
            *number = odd[what.index(odd.len())].into();
        }
        let state = serde_json::value::to_raw_value(&value).unwrap();
        if let Ok(document) = serde_json::from_str::<Document>(state.get()) {
            resumed(&document, s(after));
        }
    }

    #[test]
    fn any_bytes_are_no_state(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(matches!(read_text(&bytes), Err(Unfit::Corrupt(_))));
    }
}

fn collect<'a>(value: &'a mut serde_json::Value, numbers: &mut Vec<&'a mut serde_json::Value>) {
    match value {
        serde_json::Value::Array(all) => all.iter_mut().for_each(|one| collect(one, numbers)),
        serde_json::Value::Object(all) => all.values_mut().for_each(|one| collect(one, numbers)),
        serde_json::Value::Number(_) => numbers.push(value),
        _ => {}
    }
}

#[test]
fn a_kind_that_is_not_known_is_told() {
    let policies = vec![One {
        kind: "oracle".into(),
        name: "x".into(),
        state: {
            let mut state = crate::restart::Saved::default();
            state.count("future", 7u64);
            state
        },
    }];
    let document = Document { saved_at_ms: 0, stopped: None, policies };
    let told = resumed(&document, s(1));
    assert_eq!(told.unknown.iter().map(ToString::to_string).collect::<Vec<_>>(), ["oracle 'x'"]);
}
