//! How many keys there are.

use std::time::Duration;

use portcullis::{KeyedBulkhead, Reason, Registry};
use tokio::time::sleep;

use super::support::{SECOND, take, tenants, wait};

const MILLI: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn who_holds_or_waits_is_not_forgotten() {
    let tenants = tenants(2).queue(2, 9 * SECOND).idle_after(MILLI).build().unwrap();
    let a = take(&tenants, "a", 2);
    let b = wait(&tenants, "b").await;
    drop(tenants.try_admit("c"));
    sleep(SECOND).await;
    assert_eq!((tenants.sweep(), tenants.len()), (1, 2), "c has nothing");
    drop(a);
    let b = b.await.unwrap().unwrap();
    sleep(SECOND).await;
    assert_eq!((tenants.sweep(), tenants.len()), (1, 1));
    drop(b);
    assert_eq!((tenants.sweep(), tenants.is_empty(), tenants.status().evictions.idle), (1, true, 3));
}

#[test]
fn keys_without_room_are_one() {
    let tenants = tenants(10).per_key(2).max_keys(1).build().unwrap();
    let a = take(&tenants, "a", 1);
    let others = [take(&tenants, "b", 1), take(&tenants, "c", 1)];
    assert!(others.iter().flatten().all(|ticket| ticket.is_of_others()));
    let refused = tenants.try_admit("d").unwrap_err();
    assert_eq!((&**refused.policy(), refused.reason().as_str()), ("tenants/(other)", "key_full"));
    assert_eq!((tenants.overflow().in_flight, tenants.status().overflows), (2, 3));
    drop((a, others));
    let d = tenants.try_admit("d").unwrap();
    assert!(!d.is_of_others(), "in the place of a");
    assert_eq!((tenants.get("a"), tenants.get("d").unwrap().in_flight), (None, 1));
}

#[test]
fn keys_of_any_type_and_each_of_them() {
    let tenants = KeyedBulkhead::builder("tenants").keys::<u64>().registry(&Registry::new()).build().unwrap();
    let held = [7, 8, 8].map(|key| tenants.try_admit(&key).unwrap());
    let mut seen = Vec::new();
    tenants.for_each(|key, status| seen.push((*key, status.in_flight)));
    seen.sort_unstable();
    assert_eq!(seen, [(7, 1), (8, 2)]);
    assert_eq!((tenants.limits().max_keys, tenants.status().holding), (10_000, 2));
    drop(held);
}

/// A flood of keys that are used once takes nothing from those that are in use.
#[test]
fn a_flood_of_keys_gets_by_what_is_left() {
    let tenants = tenants(100).max_keys(50).build().unwrap();
    let held = take(&tenants, "a", 20);
    for n in 0..10_000 {
        drop(tenants.try_admit(format!("{n}").as_str()).unwrap());
    }
    assert_eq!((tenants.get("a").unwrap().in_flight, tenants.status().overflows), (20, 0));
    assert!(tenants.status().evictions.full > 9000);
    drop(held);
    assert!(matches!(tenants.try_admit_weighted("a", 200).map(|ticket| ticket.permits()), Ok(88)));
    let reason = |refused: portcullis::Rejection| refused.reason();
    assert!(!matches!(tenants.try_admit("a").map_err(reason), Err(Reason::BulkheadFull { .. })));
}

#[test]
fn a_key_costs_little_and_a_known_one_nothing() {
    const KEYS: usize = 10_000;
    let mut kept = None;
    let counts = allocation_counter::measure(|| {
        let tenants = tenants(100).build().unwrap();
        (0..KEYS).for_each(|n| drop(tenants.try_admit(format!("tenant-{n:09}").as_str())));
        kept = Some(tenants);
    });
    let tenants = kept.unwrap();
    let each = counts.bytes_current as usize / KEYS;
    println!("{each} bytes a key of 16 bytes");
    assert!(each <= 256, "{each} bytes a key");
    let known = allocation_counter::measure(|| drop(tenants.try_admit("tenant-000000001").unwrap()));
    assert_eq!(known.count_total, 0);
    let held = take(&tenants, "tenant-000000002", 100);
    drop(tenants.try_admit("tenant-000000002").unwrap_err());
    let refused = allocation_counter::measure(|| drop(tenants.try_admit("tenant-000000002").unwrap_err()));
    assert_eq!(refused.count_total, 0, "its name is known by now");
    drop(held);
}
