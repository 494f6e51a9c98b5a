//! Policies that follow a file.
#![expect(clippy::unwrap_used, reason = "a file that cannot be written fails the test")]

use std::{fs, path::Path, time::Duration};

use portcullis::{
    AdaptiveLimit, Breaker, Bulkhead, Hedge, LoadShed, RateLimit, Registry, RetryBudget, RetryPolicy,
    ThreadPool, Throttle,
    event::{EventKind, Interest},
};
use portcullis_config::{Builder, Errors, Format, Live, Settings};
use std::sync::{Arc, Mutex};

const FIRST: &str = r#"
    breaker.a = { permits = 2 }
    retry.a = { max_attempts = 2 }
    budget.a = { ratio = 0.1 }
    hedge.a = { max_attempts = 2 }
    bulkhead.a = { max_in_flight = 2 }
    rate_limit.a = { permits = 2 }
    adaptive_limit.a = { initial = 2 }
    throttle.a = { min_requests = 2 }
    load_shed.a = { max_in_flight = 2 }
    thread_pool.a = { threads = 2 }
"#;

struct File(tempfile::TempDir);

impl File {
    fn new(text: &str) -> Self {
        let file = Self(tempfile::tempdir().unwrap());
        file.write(text);
        file
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("shop.toml")
    }

    /// As editors do it.
    fn write(&self, text: &str) {
        let new = self.0.path().join("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path()).unwrap();
    }
}

fn live(path: &Path) -> Live {
    Live::new(Settings::builder().file(path)).unwrap()
}

#[test]
fn every_kind_follows_and_only_what_changed_is_told() {
    let file = File::new(FIRST);
    let registry = Registry::new();
    let mut live = live(&file.path());
    let breaker = Breaker::builder("a").registry(&registry).build().unwrap();
    let retry = RetryPolicy::builder("a").registry(&registry).build().unwrap();
    let budget = RetryBudget::new("a", Default::default()).unwrap();
    let hedge = Hedge::builder("a").registry(&registry).build().unwrap();
    let bulkhead = Bulkhead::builder("a").registry(&registry).build().unwrap();
    let rate = RateLimit::builder("a").registry(&registry).build().unwrap();
    let adaptive = AdaptiveLimit::builder("a").registry(&registry).build().unwrap();
    let throttle = Throttle::builder("a").registry(&registry).build().unwrap();
    let shed = LoadShed::builder("a").registry(&registry).build().unwrap();
    let pool = ThreadPool::builder("a").registry(&registry).build().unwrap();
    live.follow(&breaker).unwrap();
    live.follow(&retry).unwrap();
    live.follow(&budget).unwrap();
    live.follow(&hedge).unwrap();
    live.follow(&bulkhead).unwrap();
    live.follow(&rate).unwrap();
    live.follow(&adaptive).unwrap();
    live.follow(&throttle).unwrap();
    live.follow(&shed).unwrap();
    live.follow(&pool).unwrap();
    // What the file says holds from then on.
    assert_eq!((breaker.config().permits, bulkhead.config().max_in_flight), (2, 2));

    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let _listens = registry.events().listen(Interest::Changes, move |event| {
        if event.what == EventKind::ConfigChanged {
            tell.lock().unwrap().push(event.kind.as_str());
        }
    });
    assert_eq!(live.reload().unwrap(), Vec::<String>::new());
    assert!(told.lock().unwrap().is_empty());

    file.write(&FIRST.replace("= 2", "= 3").replace("0.1", "0.3"));
    assert_eq!(live.reload().unwrap().len(), 10);
    assert_eq!((breaker.config().permits, retry.config().max_attempts), (3, 3));
    assert_eq!((hedge.config().max_attempts, bulkhead.config().max_in_flight), (3, 3));
    assert_eq!((rate.config().permits, adaptive.config().initial), (3, 3));
    assert_eq!((throttle.config().min_requests, shed.config().max_in_flight), (3, Some(3)));
    assert_eq!(pool.config().threads, 3);
    let mut told = told.lock().unwrap().clone();
    told.sort_unstable();
    // The budget is in the global registry.
    let nine = [
        "adaptive_limit",
        "breaker",
        "bulkhead",
        "hedge",
        "load_shed",
        "rate_limit",
        "retry",
        "thread_pool",
        "throttle",
    ];
    assert_eq!(told, nine);
}

#[test]
fn whole_or_nothing_with_all_that_is_wrong() {
    let file = File::new("[breaker.a]\n[bulkhead.a]\nmax_in_flight = 5\n");
    let mut live = live(&file.path());
    let bulkhead = Bulkhead::builder("a").build().unwrap();
    live.follow(&bulkhead).unwrap();
    let permit = bulkhead.try_admit().unwrap();

    file.write("[breaker.a]\npermits = 0\n[bulkhead.a]\nmax_in_flight = 7\n[retry.a]\nmax_attempts = 0\n");
    let errors = live.reload().unwrap_err();
    let lines: Vec<_> = errors.iter().map(|error| error.place().unwrap().line()).collect();
    assert_eq!(lines, [2, 6]);
    assert_eq!(bulkhead.config().max_in_flight, 5);
    assert!(live.settings().names::<portcullis::config::Retry>().next().is_none());

    // A policy that runs, and that the file has forgotten.
    file.write("[breaker.a]\n");
    assert!(live.reload().unwrap_err().to_string().starts_with("bulkhead.a: is not in "));
    file.write("no toml");
    assert!(live.reload().unwrap_err().to_string().contains("shop.toml:1:"));

    file.write("[bulkhead.a]\nmax_in_flight = 7\n");
    assert_eq!(live.reload().unwrap(), ["bulkhead.a"]);
    assert_eq!((bulkhead.config().max_in_flight, bulkhead.status().in_flight), (7, 1));
    drop(permit);
}

const PIPELINES: &str = r#"
pipeline.one = { kind = "client", breaker = "a", bulkhead = "a" }
pipeline.two = { kind = "client", breaker = "a" }
breaker.a = { permits = 1 }
bulkhead.a = { max_in_flight = 1 }
"#;

fn pipelines(text: &str) -> Builder {
    Settings::builder().text("shop.toml", Format::Toml, text)
}

/// Of a policy, and not again of each pipeline that it is in; of a pipeline, and not again because it runs.
#[test]
fn each_wrong_value_is_told_once() {
    let registry = Registry::new();
    let mut live = Live::new(pipelines(PIPELINES)).unwrap().registry(&registry);
    let _run = (live.client("one").unwrap().build().unwrap(), live.client("two").unwrap().build().unwrap());
    // The same by hand, beside the one of the pipeline.
    live.follow(&live.policy::<Bulkhead>("a").unwrap()).unwrap();
    let mut wrong = |from: &str, to: &str| {
        let settings = pipelines(&PIPELINES.replace(from, to)).load().unwrap();
        let checked = settings.check().iter().map(ToString::to_string).collect::<Vec<_>>();
        let errors: Errors = live.replace(settings).unwrap_err();
        (checked, errors.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let ranges = [
        "shop.toml:4:25: breaker.a: breaker.permits is 0: allowed is 1 to 1000",
        "shop.toml:5:32: bulkhead.a: bulkhead.max_in_flight is 0: allowed is 1 to 1000000",
    ];
    assert_eq!(wrong("= 1", "= 0"), (ranges.map(Into::into).into(), ranges.map(Into::into).into()));
    let kinds = [2, 3].map(|line| {
        let name = if line == 2 { "one" } else { "two" };
        format!("shop.toml:{line}:25: pipeline.{name}: kind is \"none\": allowed is \"client\" or \"server\"")
    });
    assert_eq!(wrong("client", "none"), (kinds.to_vec(), kinds.to_vec()));
    let (checked, told) = wrong("bulkhead.a =", "bulkhead.b =");
    assert_eq!(checked, ["shop.toml:2:61: pipeline.one: no bulkhead is called `a`"]);
    assert_eq!(told, [&*checked[0], "bulkhead.a: is not in shop.toml: of this kind there is b"]);
}

#[test]
fn what_a_file_cannot_say_stays() {
    let file = File::new("[breaker.a]\n");
    let mut live = live(&file.path());
    let breaker = Breaker::builder("a").open_time(|_| Duration::from_secs(7)).build().unwrap();
    live.follow(&breaker).unwrap();
    file.write("[breaker.a]\npermits = 9\n");
    live.reload().unwrap();
    assert_eq!(breaker.config().permits, 9);
    assert!(breaker.config().open_time.is_some());
}

#[cfg(feature = "watch")]
#[tokio::test]
async fn a_file_that_is_replaced_is_seen() {
    let file = File::new("[bulkhead.a]\nmax_in_flight = 5\n");
    let mut live = live(&file.path());
    let bulkhead = Bulkhead::builder("a").build().unwrap();
    live.follow(&bulkhead).unwrap();
    let mut watch = live.watch().unwrap();
    for limit in [6, 7] {
        file.write("[bulkhead.a]\nmax_in_flight = 0\n");
        assert!(watch.changed().await.unwrap_err().to_string().contains("max_in_flight is 0"));
        file.write(&format!("[bulkhead.a]\nmax_in_flight = {limit}\n"));
        assert_eq!(watch.changed().await.unwrap(), ["bulkhead.a"]);
        assert_eq!(bulkhead.config().max_in_flight, limit);
    }
}

/// Who asks in a `select!` drops the future each time that something else happens.
#[cfg(feature = "watch")]
#[tokio::test]
async fn a_change_is_not_lost_with_the_future_that_was_about_to_read_it() {
    let file = File::new("[bulkhead.a]\nmax_in_flight = 5\n");
    let mut live = live(&file.path());
    live.follow(&Bulkhead::builder("a").build().unwrap()).unwrap();
    let mut watch = live.watch().unwrap();
    file.write("[bulkhead.a]\nmax_in_flight = 6\n");
    let short = Duration::from_millis(20);
    for _ in 0..500 {
        if let Ok(changed) = tokio::time::timeout(short, watch.changed()).await {
            assert_eq!(changed.unwrap(), ["bulkhead.a"]);
            return;
        }
    }
    panic!("the change was lost");
}

#[cfg(feature = "watch")]
#[tokio::test]
async fn what_others_write_beside_it_puts_nothing_off() {
    let file = File::new("[bulkhead.a]\nmax_in_flight = 5\n");
    let mut live = live(&file.path());
    live.follow(&Bulkhead::builder("a").build().unwrap()).unwrap();
    let mut watch = live.watch().unwrap();
    let log = file.0.path().join("log");
    let chatter = async {
        for line in 0..250 {
            fs::write(&log, line.to_string()).unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    file.write("[bulkhead.a]\nmax_in_flight = 6\n");
    tokio::select! {
        changed = watch.changed() => assert_eq!(changed.unwrap(), ["bulkhead.a"]),
        () = chatter => panic!("never read"),
    }
}

#[cfg(feature = "watch")]
#[tokio::test]
async fn what_changed_before_it_was_watched_is_seen() {
    let file = File::new("[bulkhead.a]\nmax_in_flight = 5\n");
    let mut live = live(&file.path());
    live.follow(&Bulkhead::builder("a").build().unwrap()).unwrap();
    file.write("[bulkhead.a]\nmax_in_flight = 6\n");
    let mut watch = live.watch().unwrap();
    let changed = tokio::time::timeout(Duration::from_secs(10), watch.changed()).await;
    assert_eq!(changed.unwrap().unwrap(), ["bulkhead.a"]);
}

/// The log of this very error may be beside the file, and each line in it is a change of the directory.
#[cfg(feature = "watch")]
#[tokio::test]
async fn what_is_wrong_is_told_once() {
    let file = File::new("[bulkhead.a]\nmax_in_flight = 5\n");
    let mut live = live(&file.path());
    live.follow(&Bulkhead::builder("a").build().unwrap()).unwrap();
    let mut watch = live.watch().unwrap();
    file.write("[bulkhead.a]\nmax_in_flight = 0\n");
    let errors = watch.changed().await.unwrap_err();
    fs::write(file.0.path().join("log"), errors.to_string()).unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(500), watch.changed()).await.is_err());
    file.write("[bulkhead.a]\nmax_in_flight = 6\n");
    assert_eq!(watch.changed().await.unwrap(), ["bulkhead.a"]);
}
