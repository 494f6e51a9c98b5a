//! What a registry, listeners and metrics see.

use std::sync::{Arc, Mutex};

use portcullis::{
    Level, Mode, PolicyKind, Registry,
    event::{EventKind, Interest},
    registry::Value,
};

use super::support::limit;

#[tokio::test(start_paused = true)]
async fn a_snapshot_tells_what_is_left() {
    let registry = Registry::new();
    let limit = limit(5).burst(2).registry(&registry).build().unwrap();
    let seen = || registry.get(PolicyKind::RateLimit, "limit").unwrap().snapshot();
    assert_eq!((seen().state, seen().level), ("active", Level::Healthy));
    assert!(seen().values.contains(&("available", Value::Count(2))));
    limit.try_admit_many(2).unwrap();
    limit.try_admit().unwrap_err();
    assert_eq!((seen().state, seen().level), ("spent", Level::Warning));
    assert!(seen().values.contains(&("rejected", Value::Count(1))));
}

#[tokio::test(start_paused = true)]
async fn listeners_hear_of_refusals_enforced_or_not() {
    let registry = Registry::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| match &event.what {
        EventKind::Rejected { rejection, enforced } => {
            told.lock().unwrap().push((rejection.retry_after(), *enforced));
        }
        other => told.lock().unwrap().push((None, other.as_str() == "rejected")),
    });
    let limit = limit(1).registry(&registry).build().unwrap();
    limit.try_admit().unwrap();
    let wait = limit.try_admit().unwrap_err().retry_after();
    limit.set_mode(Mode::Shadow).unwrap();
    limit.try_admit().unwrap();
    assert_eq!(*heard.lock().unwrap(), [(wait, true), (None, false), (wait, false)]);
    assert_eq!(limit.recent_events().len(), 1);
}
