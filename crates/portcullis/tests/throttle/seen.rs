//! What a registry, listeners and metrics see.

use std::sync::{Arc, Mutex};

use portcullis::{
    Level, Mode, PolicyKind, Registry, Throttle,
    event::{EventKind, Interest},
    registry::Value,
};

use super::support::{refused_by_dependency, throttle};

#[tokio::test(start_paused = true)]
async fn a_snapshot_says_that_it_holds_back() {
    let registry = Registry::new();
    let throttle = Throttle::builder("search").registry(&registry).seed(1).build().unwrap();
    let before = registry.snapshot();
    assert_eq!(
        (before[0].kind, before[0].state, before[0].level),
        (PolicyKind::Throttle, "active", Level::Healthy)
    );
    refused_by_dependency(&throttle, 20);
    let after = registry.snapshot();
    assert_eq!((after[0].state, after[0].level), ("throttling", Level::Warning));
    assert!(after[0].values.contains(&("chance", Value::Ratio(0.9))));
    assert!(after[0].values.contains(&("accepted", Value::Count(0))));
    registry.reset_all();
    assert_eq!(registry.snapshot()[0].state, "active");
}

#[tokio::test(start_paused = true)]
async fn listeners_hear_of_refusals_and_of_those_that_would_have_been() {
    let registry = Registry::new();
    let throttle = Throttle::builder("search").registry(&registry).seed(1).build().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    let _listening = registry.events().listen(Interest::All, move |event| {
        if let EventKind::Rejected { rejection, enforced } = &event.what {
            told.lock().unwrap().push((rejection.reason().as_str(), *enforced));
        }
    });
    refused_by_dependency(&throttle, 20);
    let rejected = throttle.status().rejected as usize;
    assert_eq!(*heard.lock().unwrap(), vec![("throttled", true); rejected]);

    heard.lock().unwrap().clear();
    throttle.set_mode(Mode::Shadow).unwrap();
    (0..20).for_each(|_| drop(throttle.try_admit().unwrap()));
    assert!(heard.lock().unwrap().iter().all(|heard| *heard == ("throttled", false)));
    assert_eq!(heard.lock().unwrap().len() as u64, throttle.status().shadowed);
    let events: Vec<_> = throttle.recent_events().into_iter().map(|event| event.what).collect();
    assert!(matches!(events[..], [EventKind::ConfigChanged]), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn it_is_shown_with_its_name() {
    let shown = format!("{:?} {:?}", throttle(), throttle().try_admit());
    assert!(shown.contains("throttle") && shown.contains("requests: 0"), "{shown}");
}
