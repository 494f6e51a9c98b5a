//! Changes while calls flow.

use portcullis::{Mode, Reason, bulkhead::keyed::Config, event::EventKind};

use super::support::{SECOND, settle, take, tenants, wait};

#[tokio::test(start_paused = true)]
async fn new_limits_keep_who_waits_and_reach_him() {
    let tenants = tenants(2).queue(9, 9 * SECOND).build().unwrap();
    let a = take(&tenants, "a", 2);
    let calls = [wait(&tenants, "a").await, wait(&tenants, "b").await, wait(&tenants, "b").await];
    tenants.resize(1).unwrap();
    settle().await;
    assert_eq!((tenants.status().in_flight, tenants.status().limit, tenants.status().queued), (2, 1, 3));
    tenants.reconfigure(Config { overall: 9, per_key: Some(2), ..tenants.config() }).unwrap();
    settle().await;
    assert_eq!(tenants.get("b").unwrap().in_flight, 2);
    assert_eq!((tenants.get("a").unwrap().in_flight, tenants.status().queued), (2, 1), "a has two");
    tenants.reconfigure(Config { per_key: None, ..tenants.config() }).unwrap();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().permits(), 1);
    }
    drop(a);
    assert_eq!(tenants.status().in_flight, 0);
    let changes = tenants.recent_events();
    assert_eq!(changes.len(), 3);
    assert!(changes.iter().all(|event| matches!(event.what, EventKind::ConfigChanged)));
}

#[test]
fn what_is_wrong_changes_nothing() {
    let tenants = tenants(10).per_key(5).build().unwrap();
    let before = tenants.config();
    assert_eq!(tenants.resize(4).unwrap_err().field(), "bulkhead.per_key");
    let percent = tenants.set_mode(Mode::EnforcePercent(101)).unwrap_err();
    assert_eq!(percent.field(), "bulkhead.mode.enforce_percent");
    let wrong = Config { overall: 0, ..before };
    assert_eq!(tenants.reconfigure(wrong).unwrap_err().field(), "bulkhead.overall");
    assert_eq!((tenants.config(), tenants.recent_events().len()), (before, 0));
}

#[tokio::test(start_paused = true)]
async fn in_shadow_all_pass_and_are_counted() {
    let tenants = tenants(2).per_key(1).queue(1, SECOND).build().unwrap();
    let held = tenants.try_admit("a").unwrap();
    let waits = wait(&tenants, "a").await;
    tenants.set_mode(Mode::Shadow).unwrap();
    let mut held = vec![held, waits.await.unwrap().unwrap()];
    for _ in 0..3 {
        held.push(tenants.admit("a").await.unwrap());
    }
    assert_eq!((tenants.status().in_flight, tenants.get("a").unwrap().in_flight), (5, 5));
    assert_eq!((tenants.status().rejected, tenants.status().bypassed), (0, 3), "with a queue of one");
    tenants.set_mode(Mode::Enforce).unwrap();
    assert!(tenants.is_refusing() || tenants.try_admit("b").is_err());
    held.truncate(1);
    assert!(tenants.try_admit("b").is_ok());
}

#[test]
fn disabled_it_holds_nothing_and_refuses_nobody() {
    let tenants = tenants(1).mode(Mode::Disabled).build().unwrap();
    let held: Vec<_> = (0..100).map(|_| tenants.try_admit_weighted("a", 7).unwrap()).collect();
    assert!(held.iter().all(|ticket| ticket.permits() == 0));
    assert_eq!((tenants.status().in_flight, tenants.status().bypassed), (0, 0));
    tenants.set_mode(Mode::Enforce).unwrap();
    drop(held);
    assert_eq!(tenants.status().in_flight, 0);
    assert!(tenants.try_admit("a").is_ok());
}

#[test]
fn a_percentage_is_enforced() {
    let tenants = tenants(1).mode(Mode::EnforcePercent(30)).seed(7).build().unwrap();
    let held: Vec<_> = (0..1000).filter_map(|_| tenants.try_admit("a").ok()).collect();
    let status = tenants.status();
    assert_eq!((held.len() as u64, status.rejected + status.bypassed), (1 + status.bypassed, 999));
    assert!((250..350).contains(&status.rejected), "{}", status.rejected);
    drop(held);
    assert_eq!(tenants.status().in_flight, 0);
}

/// A queue that is taken away is emptied in time, and takes nobody.
#[tokio::test(start_paused = true)]
async fn who_waits_stays_when_the_queue_is_closed() {
    let tenants = tenants(1).queue(2, 9 * SECOND).build().unwrap();
    let held = tenants.try_admit("a").unwrap();
    let waits = [wait(&tenants, "a").await, wait(&tenants, "a").await];
    tenants.reconfigure(Config { max_queued: 0, ..tenants.config() }).unwrap();
    let refused = tenants.admit("b").await.unwrap_err();
    assert_eq!(refused.reason(), Reason::BulkheadFull { limit: 1, queued: 2 });
    drop(held);
    for call in waits {
        drop(call.await.unwrap().unwrap());
    }
    assert_eq!((tenants.status().queued, tenants.status().in_flight), (0, 0));
}
