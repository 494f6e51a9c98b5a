//! Who gets what is free.

use portcullis::{Reason, bulkhead::keyed::KeyedBulkheadTicket};

use super::support::{Admitted, SECOND, settle, take, tenants, wait};

/// The permits of a call whose turn must have come.
async fn come(call: Admitted) -> KeyedBulkheadTicket {
    settle().await;
    assert!(call.is_finished(), "its turn has not come");
    call.await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_free_permit_goes_to_who_holds_the_least() {
    let tenants = tenants(6).queue(20, SECOND).build().unwrap();
    let (mut a, b) = (take(&tenants, "a", 4), take(&tenants, "b", 2));
    let more_a = wait(&tenants, "a").await;
    let more_b = wait(&tenants, "b").await;
    let c = [wait(&tenants, "c").await, wait(&tenants, "c").await, wait(&tenants, "c").await];
    let [c1, c2, c3] = c;
    a.pop();
    let c1 = come(c1).await;
    a.pop();
    let c2 = come(c2).await;
    // All hold two now: who has waited for longest since he was served.
    a.pop();
    let more_a = come(more_a).await;
    assert!(!more_b.is_finished() && !c3.is_finished());
    a.pop();
    let more_b = come(more_b).await;
    drop((b, c1));
    let c3 = come(c3).await;
    assert_eq!(tenants.status().in_flight, 4);
    drop((more_a, more_b, c2, c3));
    assert_eq!(tenants.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_has_room_for_a_key_that_has_less_in_it() {
    let tenants = tenants(1).queue(2, SECOND).build().unwrap();
    let running = tenants.try_admit("a").unwrap();
    let first = wait(&tenants, "a").await;
    let last = wait(&tenants, "a").await;
    let full = tenants.admit("a").await.unwrap_err();
    assert_eq!(full.reason(), Reason::KeyFull { limit: 1, in_flight: 1, overall: 1, queued: 2 });

    let b = wait(&tenants, "b").await;
    let displaced = last.await.unwrap().unwrap_err();
    assert_eq!(displaced.reason(), Reason::KeyFull { limit: 1, in_flight: 1, overall: 1, queued: 2 });
    assert_eq!((tenants.status().queued, tenants.status().key_full), (2, 2));
    let c = tenants.admit("c").await.unwrap_err();
    assert_eq!(c.reason(), Reason::BulkheadFull { limit: 1, queued: 2 }, "nobody has two more");

    drop(running);
    // Both hold nothing: who came first.
    drop(come(first).await);
    drop(come(b).await);
}

#[test]
fn without_a_queue_no_key_can_take_everything() {
    let tenants = tenants(200).build().unwrap();
    let mut a = take(&tenants, "a", 200);
    assert_eq!(a.len(), 177);
    let b = take(&tenants, "b", 200);
    assert_eq!(b.len(), 23, "less than its share: all that is free");
    let refused = tenants.try_admit("b").unwrap_err().reason();
    assert_eq!(refused, Reason::BulkheadFull { limit: 200, queued: 0 }, "and that is not its doing");

    // What a gives back is b's, until both have a third and more.
    let mut of_b = b;
    for _ in 0..120 {
        a.pop();
        a.extend(take(&tenants, "a", 1));
        of_b.extend(take(&tenants, "b", 1));
    }
    assert!(a.len() >= 66 && of_b.len() >= 66, "{} and {}", a.len(), of_b.len());
    assert!(take(&tenants, "c", 1).len() == 1, "and something is left for a third");
}

#[tokio::test(start_paused = true)]
async fn a_key_at_its_own_limit_keeps_nobody_waiting() {
    let tenants = tenants(4).per_key(2).queue(10, SECOND).build().unwrap();
    let a = take(&tenants, "a", 2);
    let more = [wait(&tenants, "a").await, wait(&tenants, "a").await];
    assert_eq!((tenants.status().queued, tenants.get("a").unwrap().queued), (2, 2));
    let b = take(&tenants, "b", 3);
    assert_eq!(b.len(), 2);
    drop(a);
    for call in more {
        drop(come(call).await);
    }
}
