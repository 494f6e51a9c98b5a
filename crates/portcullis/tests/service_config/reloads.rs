//! Documents that follow one another.

use std::time::Duration;

use portcullis::{PolicyKind, Registry, ServiceConfig, retry::BudgetConfig};

use super::{method, read, retry_policy, throttled};

#[test]
fn what_is_called_the_same_stays_and_does_as_the_new_document_says() {
    let config = read(&retry_policy("")).unwrap();
    let before = config.retry("/a.B/C").unwrap();

    config.reload(&retry_policy(r#", "maxAttempts": 2"#)).unwrap();

    assert_eq!(before.config().max_attempts, 2);
    assert!(before.budget().is_same(config.retry("/a.B/C").unwrap().budget()));

    config.reload(&method(r#""hedgingPolicy": { "maxAttempts": 2 }"#)).unwrap();
    assert!(config.retry("/a.B/C").is_none() && config.hedge("/a.B/C").is_some());
    config.reload("{}").unwrap();
    assert!(config.hedge("/a.B/C").is_none());
}

#[test]
fn a_document_that_is_wrong_anywhere_changes_nothing() {
    let json = |tokens, timeout| throttled(&method(&format!(r#""timeout": "{timeout}""#)), tokens, 1.0);
    let config = read(&json(10, "1s")).unwrap();
    let state =
        |config: &ServiceConfig| (config.budget().config(), config.timeout("/a.B/C").unwrap().limit());
    let before = (BudgetConfig::throttle(10, 1.0), Duration::from_secs(1));
    assert_eq!(state(&config), before);

    assert!(config.reload(&json(0, "2s")).is_err());
    assert!(config.reload(&json(20, "0s")).is_err());
    assert_eq!(state(&config), before);

    config.reload(&json(20, "2s")).unwrap();
    assert_eq!(state(&config), (BudgetConfig::throttle(20, 1.0), Duration::from_secs(2)));
}

#[test]
fn policies_are_in_the_registry_by_server_and_first_name() {
    let registry = Registry::new();
    let config = ServiceConfig::in_registry("shop", &retry_policy(""), &registry).unwrap();
    assert!(registry.get(PolicyKind::Retry, "shop/a.B").is_some());
    assert!(registry.get(PolicyKind::Budget, "shop").is_some());
    config.reload("{}").unwrap();
    assert!(registry.get(PolicyKind::Retry, "shop/a.B").is_none());
}

#[test]
fn reloads_at_the_same_time_end_with_one_of_the_documents() {
    let config = read("{}").unwrap();
    let attempts =
        |attempts| throttled(&retry_policy(&format!(r#", "maxAttempts": {attempts}"#)), attempts, 1.0);
    for _ in 0..100 {
        std::thread::scope(|scope| {
            for number in [2, 3, 4] {
                let (config, json) = (&config, attempts(number));
                scope.spawn(move || config.reload(&json).unwrap());
            }
        });
        let policy = config.retry("/a.B/C").unwrap();
        let tokens = policy.config().max_attempts;
        assert_eq!(config.budget().config(), BudgetConfig::throttle(tokens, 1.0));
    }
}

/// They had the same one, which did as one of the two said, by chance.
#[test]
fn methods_that_were_named_together_have_policies_of_their_own_when_they_part() {
    let entry = |methods: &[&str], attempts| {
        let names: Vec<_> = methods.iter().map(|method| format!(r#"{{ "service": "{method}" }}"#)).collect();
        format!(
            r#"{{ "name": [{}], "retryPolicy": {{ "maxAttempts": {attempts}, "initialBackoff": "0.1s",
                "maxBackoff": "1s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"] }} }}"#,
            names.join(", ")
        )
    };
    let config = read(&format!(r#"{{ "methodConfig": [{}] }}"#, entry(&["a.A", "a.B"], 2))).unwrap();
    let together = config.retry("/a.B/C").unwrap();
    assert_eq!(&**together.name(), "shop/a.A");

    let (one, other) = (entry(&["a.A"], 3), entry(&["a.B"], 4));
    config.reload(&format!(r#"{{ "methodConfig": [{one}, {other}] }}"#)).unwrap();

    let attempts = |path| config.retry(path).unwrap().config().max_attempts;
    assert_eq!((attempts("/a.A/C"), attempts("/a.B/C")), (3, 4));
    assert_eq!((together.config().max_attempts, &**config.retry("/a.B/C").unwrap().name()), (3, "shop/a.B"));
}
