//! That a thousand changes disturb no call, and that ten thousand mistakes are each told by name.
#![expect(clippy::unwrap_used, reason = "what cannot be built fails the test")]

use std::{
    fmt::Write,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use portcullis::{
    AdaptiveLimit, BoxError, Breaker, Bulkhead, Fallback, LoadShed, RateLimit, Registry, RetryPolicy,
    Throttle, Timeout,
};
use portcullis_config::{Format, Live, Settings};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

/// A field, what it may be, and values that it may not be.
struct Field(&'static str, &'static str, Values, &'static [&'static str]);

#[derive(Clone, Copy)]
enum Values {
    Whole(u64, u64),
    Share(f64, f64),
    /// In milliseconds.
    Time(u64, u64),
    Words(&'static [&'static str]),
}

use Values::{Share, Time, Whole, Words};

/// No call of the test is refused by what is valid here: bounds are far from the load.
const FIELDS: &[Field] = &[
    Field("breaker", "minimum_calls", Whole(1, 100), &["0", "-1", "\"x\"", "[]", "1e300"]),
    Field("breaker", "failure_ratio", Share(0.1, 1.0), &["0", "1.5", "nan", "-inf", "\"half\""]),
    Field("breaker", "permits", Whole(1, 1000), &["0", "1001", "4294967296", "true"]),
    Field("breaker", "open_for", Time(1, 60_000), &["\"-1s\"", "\"soon\"", "\"900000h\"", "{}"]),
    Field("retry", "max_attempts", Whole(1, 100), &["0", "101", "-7", "1.5", "\"many\""]),
    Field("retry", "total_time", Time(20_000, 60_000), &["\"x\"", "true", "\"99999999h\""]),
    Field("bulkhead", "max_in_flight", Whole(100, 10_000), &["0", "-1", "1.5", "\"all\"", "99999999999"]),
    Field("bulkhead", "max_queued", Whole(0, 1000), &["-1", "1.5", "{}", "99999999999"]),
    Field("rate_limit", "permits", Whole(500_000, 1_000_000), &["0", "-1", "\"x\"", "99999999999"]),
    Field("rate_limit", "period", Time(1000, 1500), &["\"0s\"", "\"x\"", "true"]),
    Field("adaptive_limit", "initial", Whole(20, 1000), &["0", "1001", "-1", "\"x\""]),
    Field("adaptive_limit", "backoff", Share(0.1, 0.99), &["0.0", "1.0", "nan", "\"x\""]),
    Field("throttle", "min_requests", Whole(1, 1000), &["-1", "\"x\"", "[]", "99999999999"]),
    Field("load_shed", "max_in_flight", Whole(1000, 100_000), &["0", "-1", "\"x\"", "99999999999"]),
    Field("timeout", "limit", Time(20_000, 86_400_000), &["\"0s\"", "\"25h\"", "\"x\"", "[]"]),
    Field("timeout", "scope", Words(&["total", "attempt"]), &["\"all\"", "3", "{}"]),
    Field("fallback", "refusals", Words(&["true", "false"]), &["1", "\"yes\"", "[]"]),
    Field(
        "fallback",
        "mode",
        Words(&["enforce", "shadow", "disabled"]),
        &["\"on\"", "0", "{ enforce_percent = 101 }"],
    ),
];

impl Values {
    fn any(self) -> BoxedStrategy<String> {
        match self {
            Whole(least, most) => (least..=most).prop_map(|it| it.to_string()).boxed(),
            Share(least, most) => (least..=most).prop_map(|it| format!("{it:?}")).boxed(),
            Time(least, most) => (least..=most).prop_map(|it| format!("\"{it}ms\"")).boxed(),
            Words(words) => prop::sample::select(words)
                .prop_map(|word| match word {
                    "true" | "false" => word.to_owned(),
                    _ => format!("\"{word}\""),
                })
                .boxed(),
        }
    }
}

/// Each field of the list or none, with a value that it may have.
fn valid() -> impl Strategy<Value = Vec<Option<String>>> {
    let fields: Vec<_> = FIELDS.iter().map(|field| prop::option::weighted(0.7, field.2.any())).collect();
    fields
}

/// As a file has it, where fields have these names.
fn text(values: &[Option<String>], name: impl Fn(usize) -> &'static str) -> String {
    let mut text = String::new();
    for (at, field) in FIELDS.iter().enumerate() {
        if at == 0 || FIELDS[at - 1].0 != field.0 {
            let _ = writeln!(text, "[{}.a]", field.0);
            text += match field.0 {
                // How busy the machine is may not matter here.
                "rate_limit" => "burst = 500000\n",
                "load_shed" => "queue_delay = \"off\"\n",
                "adaptive_limit" => "min = 20\n",
                _ => "",
            };
        }
        if let Some(value) = &values[at] {
            let _ = writeln!(text, "{} = {value}", name(at));
        }
    }
    text
}

fn rightly(at: usize) -> &'static str {
    FIELDS[at].1
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

#[derive(Clone)]
struct Stack {
    breaker: Breaker,
    retry: RetryPolicy,
    bulkhead: Bulkhead,
    rate: RateLimit,
    adaptive: AdaptiveLimit,
    throttle: Throttle,
    shed: LoadShed,
    timeout: Timeout,
    fallback: Fallback,
}

impl Stack {
    fn new(registry: &Registry, live: &mut Live) -> Self {
        let settings = live.settings().clone();
        let it = Self {
            breaker: Breaker::builder("a").registry(registry).build().unwrap(),
            retry: RetryPolicy::builder("a").registry(registry).build().unwrap(),
            bulkhead: Bulkhead::builder("a")
                .config(settings.bulkhead("a").unwrap())
                .registry(registry)
                .build()
                .unwrap(),
            rate: RateLimit::builder("a").registry(registry).build().unwrap(),
            adaptive: AdaptiveLimit::builder("a").registry(registry).build().unwrap(),
            throttle: Throttle::builder("a").registry(registry).build().unwrap(),
            shed: LoadShed::builder("a").registry(registry).build().unwrap(),
            timeout: Timeout::builder("a", settings.timeout("a").unwrap())
                .registry(registry)
                .build()
                .unwrap(),
            fallback: Fallback::builder("a").registry(registry).build().unwrap(),
        };
        live.follow(&it.breaker).unwrap();
        live.follow(&it.retry).unwrap();
        live.follow(&it.bulkhead).unwrap();
        live.follow(&it.rate).unwrap();
        live.follow(&it.adaptive).unwrap();
        live.follow(&it.throttle).unwrap();
        live.follow(&it.shed).unwrap();
        live.follow(&it.timeout).unwrap();
        live.follow(&it.fallback).unwrap();
        it
    }

    async fn call(&self) -> Result<(), BoxError> {
        let inside = || self.adaptive.call(|| self.throttle.call(|| self.breaker.call(work)));
        let limited = || self.shed.call(|| self.rate.call(|| self.bulkhead.call(inside)));
        let timed = || self.timeout.call(|| self.retry.call(|_| limited()));
        // What would be answered in place of a failure is a failure here.
        self.fallback.call(timed, |why| async move { Err(format!("{why:?}").into()) }).await
    }
}

/// Calls are in flight while settings change.
async fn work() -> Result<(), BoxError> {
    tokio::task::yield_now().await;
    Ok(())
}

/// Calls, until it is told to end; each that fails fails the test.
async fn load(stack: Stack, calls: Arc<AtomicU64>, end: Arc<AtomicBool>) {
    while !end.load(Relaxed) {
        stack.call().await.unwrap();
        calls.fetch_add(1, Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_changes_under_load_fail_no_call() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.toml");
    let nothing = vec![None; FIELDS.len()];
    fs::write(&path, text(&nothing, rightly)).unwrap();
    let mut live = Live::new(Settings::builder().file(&path)).unwrap();
    let stack = Stack::new(&Registry::new(), &mut live);

    let (calls, end) = (Arc::default(), Arc::<AtomicBool>::default());
    let load = (0..8).map(|_| tokio::spawn(load(stack.clone(), Arc::clone(&calls), end.clone())));
    let load: Vec<_> = load.collect();
    let mut runner = runner(1);
    for _ in 0..1000 {
        let values = valid().new_tree(&mut runner).unwrap().current();
        let before = calls.load(Relaxed);
        fs::write(&path, text(&values, rightly)).unwrap();
        live.reload().unwrap();
        let (bulkhead, timeout) = (stack.bulkhead.config(), stack.timeout.config());
        assert_eq!(live.settings().bulkhead("a").unwrap().max_in_flight, bulkhead.max_in_flight);
        assert_eq!(live.settings().timeout("a").unwrap().limit, timeout.limit);
        // Between two changes, there are calls; who fails ends the load.
        while calls.load(Relaxed) == before && !load.iter().any(|task| task.is_finished()) {
            tokio::task::yield_now().await;
        }
    }
    end.store(true, Relaxed);
    for task in load {
        task.await.unwrap();
    }
    assert!(calls.load(Relaxed) >= 1000);
}

#[test]
fn ten_thousand_mistakes_are_told_by_the_field() {
    let mistakes = FIELDS.iter().enumerate().flat_map(|(at, field)| {
        let wrong = field.3.iter().map(move |wrong| (at, field.1, *wrong));
        // A name that there is not.
        wrong.chain([(at, "max_in_fligth", "1")])
    });
    let mistake = prop::sample::select(mistakes.collect::<Vec<_>>());
    let tested = runner(10_000).run(&(valid(), mistake), |(mut values, (wrong_at, wrong_name, wrong))| {
        values[wrong_at] = Some(format!("{wrong} # here"));
        let text = text(&values, |at| if at == wrong_at { wrong_name } else { rightly(at) });
        let line = 1 + text.lines().position(|line| line.ends_with("# here")).unwrap();

        let settings = Settings::builder().text("shop.toml", Format::Toml, text.as_str()).load().unwrap();
        let errors = settings.check();
        prop_assert_eq!(errors.len(), 1, "{}", text);
        let error = errors[0].to_string();
        prop_assert!(error.contains(wrong_name), "{}: {}", error, text);
        prop_assert_eq!(errors[0].place().map(|place| place.line()), Some(line), "{}: {}", error, text);
        Ok(())
    });
    tested.unwrap();
}
