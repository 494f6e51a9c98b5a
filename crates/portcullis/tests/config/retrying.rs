//! What a file says of a retry is what its policy gets, and what is wrong is named.

use std::{collections::BTreeSet, time::Duration};

use portcullis::{
    BoxError, FailureKind, GrpcCode, GrpcCodes, Mode, Registry, RetryBudget, RetryPolicy, config,
    hedge::KeyedHedge,
    retry::{Backoff, BudgetConfig, Config, Curve, Jitter, KeyedRetry, Preset, Stop},
};
use serde_json::json;

use crate::retry as settings;

const EVERYTHING: &str = r#"
    max_attempts = 7
    total_time = "2s"
    max_retry_after = "1m"
    not_retried = ["timeout", "slow"]
    grpc_codes = ["UNAVAILABLE", "aborted", 4]
    retry_refusals = true
    mode = { enforce_percent = 25 }

    [backoff]
    curve = "linear"
    base = "250ms"
    factor = 3
    cap = "1m"
    jitter = { uniform = 0.2 }

    [budget]
    kind = "cost"
    capacity = 100
    retry = 2
    timeout = 3
    success = 4
"#;

fn everything() -> Config {
    Config {
        max_attempts: 7,
        backoff: Backoff {
            curve: Curve::Linear,
            base: Duration::from_millis(250),
            factor: 3.0,
            cap: Duration::from_secs(60),
            jitter: Jitter::Uniform(0.2),
        },
        total_time: Some(Duration::from_secs(2)),
        max_retry_after: Duration::from_secs(60),
        not_retried: BTreeSet::from([FailureKind::Timeout, FailureKind::Slow]),
        grpc_codes: Some(GrpcCodes::from([
            GrpcCode::Unavailable,
            GrpcCode::Aborted,
            GrpcCode::DeadlineExceeded,
        ])),
        retry_refusals: true,
        mode: Mode::EnforcePercent(25),
        budget: BudgetConfig::Cost { capacity: 100, retry: 2, timeout: 3, success: 4 },
    }
}

fn millis<const N: usize>(waits: [u64; N]) -> [Duration; N] {
    waits.map(Duration::from_millis)
}

#[test]
fn every_field_is_read_as_toml_and_as_json() {
    assert_eq!(settings(EVERYTHING).build(), Ok(everything()));
    let value: toml::Value = toml::from_str(EVERYTHING).unwrap();
    let text = serde_json::to_string(&value).unwrap();
    assert_eq!(serde_json::from_str::<config::Retry>(&text).unwrap().build(), Ok(everything()));
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(settings("").build(), Ok(Config::default()));
    assert_eq!(settings("backoff = {}\nbudget = {}").build(), Ok(Config::default()));
    assert_eq!(settings(""), config::Retry::default());
}

#[test]
fn every_backoff_of_a_builder_can_be_written() {
    let backoffs = [
        ("\"100ms\"", Backoff::exponential(Duration::from_millis(100))),
        ("\"off\"", Backoff::NONE),
        ("false", Backoff::NONE),
        ("{ curve = \"exponential\", factor = 3 }", Backoff::default().factor(3.0)),
        ("{ curve = \"linear\", base = \"1s\" }", Backoff::linear(Duration::from_secs(1))),
        ("{ curve = \"fixed\", base = \"1m\" }", Backoff::fixed(Duration::from_secs(60))),
        ("{ curve = \"fibonacci\", base = \"10ms\" }", Backoff::fibonacci(Duration::from_millis(10))),
        ("{ waits = [\"10ms\", \"1m\", \"1ms\"] }", Backoff::list(millis([10, 60_000, 1]))),
        ("{ curve = \"list\", waits = [\"0s\"] }", Backoff::list(millis([0]))),
        (
            "{ jitter = \"decorrelated\", base = \"15s\" }",
            Backoff { cap: Duration::from_secs(45), ..Backoff::decorrelated(Duration::from_secs(15)) },
        ),
        ("{ jitter = \"equal\" }", Backoff::default().jitter(Jitter::Equal)),
        ("{ jitter = \"exponential\" }", Backoff::default().jitter(Jitter::Exponential)),
        ("{ jitter = \"full\" }", Backoff::default()),
        ("{ jitter = \"none\" }", Backoff::default().jitter(Jitter::None)),
        ("{ jitter = { uniform = 1 } }", Backoff::default().jitter(Jitter::Uniform(1.0))),
    ];
    for (text, backoff) in backoffs {
        assert_eq!(settings(&format!("backoff = {text}")).build().unwrap().backoff, backoff, "{text}");
    }
}

#[test]
fn a_budget_is_a_kind_or_a_table() {
    let budgets = [
        ("\"share\"", BudgetConfig::SHARE),
        ("\"concurrent\"", BudgetConfig::CONCURRENT),
        ("\"throttle\"", BudgetConfig::THROTTLE),
        ("\"cost\"", BudgetConfig::COST),
        ("\"unlimited\"", BudgetConfig::Unlimited),
        ("{ kind = \"unlimited\" }", BudgetConfig::Unlimited),
        ("{ ratio = 0.1 }", BudgetConfig::share(0.1, 10)),
        ("{ kind = \"concurrent\", min_concurrent = 9 }", BudgetConfig::concurrent(0.2, 9)),
        ("{ max_tokens = 100, kind = \"throttle\" }", BudgetConfig::throttle(100, 0.1)),
    ];
    for (text, budget) in budgets {
        assert_eq!(settings(&format!("budget = {text}")).build().unwrap().budget, budget, "{text}");
    }
}

#[test]
fn a_preset_is_what_other_fields_start_from() {
    for preset in Preset::ALL {
        let config = settings(&format!("preset = \"{preset}\"")).build();
        assert_eq!(config, Ok(preset.config()));
        let built = RetryPolicy::builder("preset").registry(&Registry::new()).preset(preset).build();
        assert_eq!(Ok(&*built.unwrap().config()), config.as_ref());
    }
    let config = settings("max_attempts = 9\npreset = \"critical_service\"").build();
    assert_eq!(config, Ok(Config { max_attempts: 9, ..Preset::CriticalService.config() }));
}

#[test]
fn what_is_on_can_be_turned_off() {
    let text = "total_time = \"off\"\nnot_retried = \"off\"\ngrpc_codes = false\nbackoff = false";
    let config = settings(text).over(&everything()).unwrap();
    assert_eq!((config.total_time, config.grpc_codes), (None, None));
    assert_eq!((config.not_retried.len(), config.backoff), (0, Backoff::NONE));
    assert_eq!(settings("not_retried = []").build().unwrap().not_retried.len(), 0);
    assert_eq!(settings("grpc_codes = []").build().unwrap().grpc_codes, Some(GrpcCodes::default()));
}

#[test]
fn over_changes_what_was_given_alone_and_a_table_as_a_whole() {
    let base = everything();
    assert_eq!(settings("").over(&base), Ok(base.clone()));
    let config = settings("max_attempts = 2\nbackoff = \"1s\"").over(&base);
    let backoff = Backoff::exponential(Duration::from_secs(1));
    assert_eq!(config, Ok(Config { max_attempts: 2, backoff, ..base }));
}

#[test]
fn a_function_stays_until_another_curve_is_given() {
    let function = Backoff::function(|after| Duration::from_secs(after.retry.into()));
    let base = Config { max_attempts: 9, backoff: function.clone(), ..Config::default() };

    let config = settings("backoff = { cap = \"3s\" }").over(&base).unwrap();
    assert_eq!(config.backoff, function.clone().cap(Duration::from_secs(3)));
    let config = settings("preset = \"fast_api\"").over(&base).unwrap();
    let expected = Preset::FastApi.config();
    let backoff = Backoff { curve: function.curve.clone(), ..expected.backoff };
    assert_eq!(config, Config { backoff, ..expected });
    let config = settings("").reload(&base).unwrap();
    assert_eq!(config, Config { backoff: function, ..Config::default() });

    let config = settings("backoff = { curve = \"exponential\" }").reload(&base);
    assert_eq!(config, Ok(Config::default()));
}

#[test]
fn what_was_given_is_written_and_no_more() {
    let given = json!({
        "preset": "fast_api",
        "max_attempts": 4,
        "total_time": "off",
        "not_retried": ["slow"],
        "grpc_codes": ["UNAVAILABLE"],
        "mode": { "enforce_percent": 5 },
        "backoff": { "waits": ["1s"], "jitter": { "uniform": 0.5 } },
        "budget": { "shared": "upstream", "kind": "share", "ratio": 0.1, "min_per_second": 10 },
    });
    let settings: config::Retry = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(serde_json::to_value(&settings).unwrap(), given);
}

/// A file names a budget, and every policy that is made by it has that one.
#[test]
fn a_budget_can_be_shared_by_name() {
    let registry = Registry::new();
    let shared = |text: &str| settings(text).budget().unwrap().in_registry(&registry).unwrap();

    let one = shared("budget = { shared = \"upstream\", ratio = 0.5 }").unwrap();
    let other = shared("budget = { shared = \"upstream\" }").unwrap();
    assert!(one.is_same(&other));
    assert_eq!(other.config(), BudgetConfig::share(0.5, 10), "as who came first has it");
    assert!(RetryBudget::shared("upstream", BudgetConfig::COST, &registry).unwrap().is_same(&one));

    assert!(shared("budget = { ratio = 0.5 }").is_none());
    let wrong = settings("budget = { shared = \"upstream\", ratio = 5 }");
    let error = wrong.budget().unwrap().in_registry(&registry).unwrap_err();
    assert_eq!(error.to_string(), "budget.ratio is 5.0: allowed is 0.0 to 1.0");
}

/// All keys spend from the budget that the file names, and follow when it says something else.
#[test]
fn keys_share_the_budget_that_is_named_and_follow_the_file() {
    let registry = Registry::new();
    let file =
        |ratio: &str| format!("max_attempts = 2\nbudget = {{ shared = \"upstream\", ratio = {ratio} }}");
    let (retry, hedge): (config::Retry, config::Hedge) =
        (toml::from_str(&file("0.1")).unwrap(), toml::from_str(&file("0.1")).unwrap());
    let retries = KeyedRetry::builder("hosts").registry(&registry).settings(&retry).unwrap().build().unwrap();
    let hedges = KeyedHedge::builder("hosts").registry(&registry).settings(&hedge).unwrap().build().unwrap();
    let before = (retries.policy("a"), hedges.policy("a"));
    assert_eq!(before.0.budget().config(), BudgetConfig::share(0.1, 10));

    let (retry, hedge): (config::Retry, config::Hedge) =
        (toml::from_str(&file("0.3")).unwrap(), toml::from_str(&file("0.3")).unwrap());
    retries.reconfigure(retry.reload(&retries.config()).unwrap()).unwrap();
    hedges.reconfigure(hedge.reload(&hedges.config()).unwrap()).unwrap();
    let rules = before.0.budget().config();
    assert_eq!(rules, BudgetConfig::share(0.1, 10), "its rules are not one policy's to change");
    let budget = retry.budget().unwrap().reload(&registry).unwrap().unwrap();

    let of_retries = [before.0, retries.policy("a"), retries.policy("b"), retries.overflow().clone()];
    let of_hedges = [before.1, hedges.policy("a"), hedges.policy("b"), hedges.overflow().clone()];
    let all =
        of_retries.iter().map(|policy| policy.budget()).chain(of_hedges.iter().map(|hedge| hedge.budget()));
    for one in all {
        assert!(one.is_same(&budget));
        assert_eq!(one.config(), BudgetConfig::share(0.3, 10));
    }
    let wrong = settings("budget = { shared = \"upstream\", ratio = 5 }");
    wrong.budget().unwrap().reload(&registry).unwrap_err();
    assert_eq!(budget.config(), BudgetConfig::share(0.3, 10), "nothing has changed");
}

/// What one key has taken is gone for all, also after that key is forgotten.
#[tokio::test(start_paused = true)]
async fn keys_with_one_budget_spend_it_together() {
    let registry = Registry::new();
    let file = "max_attempts = 2\nbackoff = \"off\"\nbudget = { shared = \"upstream\", kind = \"cost\", capacity = 10 }";
    let file: config::Retry = toml::from_str(file).unwrap();
    let hosts = KeyedRetry::builder("hosts").registry(&registry).settings(&file).unwrap();
    let hosts = hosts.idle_after(Duration::from_secs(60)).build().unwrap();
    for host in ["a", "b", "c"] {
        let call =
            hosts.policy(host).call_idempotent(|_| async { Err::<(), _>(BoxError::from("lost")) }).await;
        call.unwrap_err();
    }
    let all = hosts.status().all;
    assert_eq!((all.retries, all.stopped(Stop::Budget), all.budget_available), (2, 1, 0));
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!((hosts.sweep(), hosts.len()), (3, 0), "the budget does not go with them");
    assert_eq!(hosts.policy("a").budget().available(), 0);
}

#[track_caller]
fn both_say(field: &str, toml: &str, json: serde_json::Value, said: &str) {
    let toml = toml::from_str::<config::Retry>(&format!("{field} = {toml}")).unwrap_err();
    assert_eq!(toml.message(), said);
    let json = serde_json::from_str::<config::Retry>(&json!({ field: json }).to_string()).unwrap_err();
    assert_eq!(json.to_string().split(" at line 1 column").next(), Some(said));
}

const TIME: &str = "a time with its unit, hours at most, such as \"250ms\" or \"1m 30s\"";

#[test]
fn what_is_wrong_within_a_table_or_list_is_named() {
    both_say(
        "backoff",
        "{ base = 50 }",
        json!({ "base": 50 }),
        &format!("invalid value: integer `50`, expected retry.backoff.base to be {TIME}"),
    );
    both_say(
        "backoff",
        "{ waits = [\"1s\", 5] }",
        json!({ "waits": ["1s", 5] }),
        &format!("invalid value: integer `5`, expected retry.backoff.waits to be {TIME}"),
    );
    both_say(
        "backoff",
        "{ waits = \"1s\" }",
        json!({ "waits": "1s" }),
        "invalid value: string \"1s\", expected retry.backoff.waits to be a list of times, such as \
         [\"10ms\", \"1s\"]",
    );
    both_say(
        "backoff",
        "50",
        json!(50),
        "invalid value: integer `50`, expected retry.backoff to be a table, such as { base = \"50ms\", cap = \
         \"20s\" }; or the base alone; or \"off\"",
    );
    both_say(
        "backoff",
        "{ curve = \"steep\" }",
        json!({ "curve": "steep" }),
        "invalid value: string \"steep\", expected retry.backoff.curve to be one of exponential, linear, \
         fixed, fibonacci, list",
    );
    both_say(
        "backoff",
        "{ jitter = \"some\" }",
        json!({ "jitter": "some" }),
        "invalid value: string \"some\", expected retry.backoff.jitter to be one of full, equal, exponential, \
         decorrelated, none; or a table, such as { uniform = 0.2 }",
    );
    both_say(
        "backoff",
        "{ jitter = { uniform = true } }",
        json!({ "jitter": { "uniform": true } }),
        "invalid value: boolean `true`, expected retry.backoff.jitter.uniform to be a number",
    );
    both_say("mode", "{}", json!({}), "retry.mode.enforce_percent is missing");
}

#[test]
fn what_does_not_belong_together_is_refused() {
    both_say(
        "backoff",
        "{ curve = \"linear\", waits = [] }",
        json!({ "curve": "linear", "waits": [] }),
        "retry.backoff.waits is for the curve list",
    );
    both_say("backoff", "{ curve = \"list\" }", json!({ "curve": "list" }), "retry.backoff.waits is missing");
    both_say(
        "backoff",
        "{ jitter = {} }",
        json!({ "jitter": {} }),
        "retry.backoff.jitter.uniform is missing",
    );
    both_say(
        "budget",
        "{ max_tokens = 5 }",
        json!({ "max_tokens": 5 }),
        "retry.budget.max_tokens is not for the kind share",
    );
    both_say(
        "budget",
        "{ kind = \"unlimited\", ratio = 1 }",
        json!({ "kind": "unlimited", "ratio": 1 }),
        "retry.budget.ratio is not for the kind unlimited",
    );
}

#[test]
fn words_of_lists_and_kinds_are_told_what_there_is() {
    both_say(
        "not_retried",
        "[\"timeouts\"]",
        json!(["timeouts"]),
        "invalid value: string \"timeouts\", expected retry.not_retried to be of kinds of failure, each one of \
         timeout, connection, network, unavailable, rate_limited, resource_exhausted, internal, data_loss, \
         validation, slow, panic, other",
    );
    both_say(
        "grpc_codes",
        "[17]",
        json!([17]),
        "invalid value: integer `17`, expected retry.grpc_codes to be of gRPC codes, such as UNAVAILABLE or 14",
    );
    both_say(
        "grpc_codes",
        "\"UNAVAILABLE\"",
        json!("UNAVAILABLE"),
        "invalid value: string \"UNAVAILABLE\", expected retry.grpc_codes to be a list of gRPC codes, such as \
         [\"UNAVAILABLE\"]; or \"off\"",
    );
    both_say(
        "budget",
        "\"none\"",
        json!("none"),
        "invalid value: string \"none\", expected retry.budget to be a table, such as { ratio = 0.2, \
         min_per_second = 10 }; or one of share, concurrent, throttle, cost, unlimited",
    );
    both_say(
        "preset",
        "\"validator\"",
        json!("validator"),
        "invalid value: string \"validator\", expected retry.preset to be one of fast_api, slow_api, \
         critical_service, database, local_ipc, ml_inference, production, development",
    );
    both_say(
        "max_attempts",
        "[3]",
        json!([3]),
        "invalid type: sequence, expected retry.max_attempts to be a whole number, 0 to 4294967295",
    );
}

#[test]
fn a_value_outside_its_range_is_the_builders_error() {
    let said = [
        ("max_attempts = 101", "retry.max_attempts is 101: allowed is 1 to 100"),
        ("backoff = { factor = nan }", "retry.backoff.factor is NaN: allowed is 1.0 to 10.0"),
        ("backoff = { waits = [] }", "retry.backoff.list is 0: allowed is 1 to 1000"),
        ("backoff = \"25h\"", "retry.backoff.base is 90000s: allowed is 0ns to 86400s"),
        ("budget = { ratio = 2 }", "budget.ratio is 2.0: allowed is 0.0 to 1.0"),
        ("mode = { enforce_percent = 101 }", "retry.mode.enforce_percent is 101: allowed is 0 to 100"),
    ];
    for (text, said) in said {
        assert_eq!(settings(text).build().unwrap_err().to_string(), said);
    }
}
