//! What people do is told and kept, for every policy.

use std::sync::{Arc, Mutex};

use portcullis::{
    PolicyKind, Registry,
    event::{Audit, EventKind, Interest},
};

use super::policies::every;

#[tokio::test(start_paused = true)]
async fn it_is_told_once_and_kept_by_every_policy_that_tells() {
    let registry = Registry::new();
    let all = every(&registry);
    let told = Arc::new(Mutex::new(Vec::new()));
    let inside = told.clone();
    let listener = move |event: &portcullis::event::Event| inside.lock().unwrap().push(event.to_string());
    let _subscription = registry.events().listen(Interest::Changes, listener);
    for sample in &all {
        let kind = sample.policy.snapshot().kind;
        registry.audit(kind, sample.name, Audit::new("ops", "isolated").because("it lies"));
        let sentence = format!("{kind} '{}' was isolated by ops: it lies", sample.name);
        assert_eq!(*told.lock().unwrap(), [sentence.as_str()]);
        told.lock().unwrap().clear();
        assert_eq!(registry.events().recent().pop().unwrap().to_string(), sentence);
        let own = sample.policy.recent_events().pop().map(|event| event.to_string());
        // A budget tells nothing, and keeps nothing.
        assert_eq!(own, (kind != PolicyKind::Budget).then_some(sentence));
    }
}

/// What is done to a policy that went away meanwhile is no secret.
#[test]
fn what_was_done_to_nobody_is_told_too() {
    let registry = Registry::new();
    registry.audit(PolicyKind::Breaker, "gone", Audit::new("ops", "reset"));
    let told = registry.events().recent();
    assert_eq!(told[0].to_string(), "breaker 'gone' was reset by ops");
    assert_eq!(told[0].what.as_str(), "audit");
}

#[test]
fn the_whole_registry_is_told_of_as_one() {
    let registry = Registry::new();
    registry.audit_all(Audit::new("ops", "stopped").because(" "));
    let told = registry.events().recent().pop().unwrap();
    assert_eq!(
        (told.kind, told.to_string().as_str()),
        (PolicyKind::Registry, "registry 'all' was stopped by ops")
    );
}

/// A text from outside could have written lines of its own into a log, or have filled it.
#[test]
fn its_texts_are_one_line_and_bounded() {
    let long = "x".repeat(10_000);
    let audit = Audit::new("o\r\np\u{1b}s", &long).because("one\u{2028}line");
    assert_eq!((audit.by(), audit.action().len(), audit.why()), ("o  p s", 200, Some("one line")));
    let registry = Registry::new();
    registry.audit_all(audit);
    let EventKind::Audit(audit) = registry.events().recent().pop().unwrap().what else { unreachable!() };
    assert!(!audit.to_string().contains(char::is_control));
}
