//! Who was cut.

use portcullis::drain::{NAME_BYTES, ROLL_PLACES};

use crate::support::{drain, secs};

#[tokio::test(start_paused = true)]
async fn names_the_longest_first_and_since_when() {
    let drain = drain().announce(secs(0)).build().unwrap();
    let mut running = Vec::new();
    for name in ["/first", "/second", "/third"] {
        running.push(drain.try_admit_as(name).unwrap());
        tokio::time::advance(secs(1)).await;
    }
    drop(running.remove(1));
    drain.begin();
    let report = drain.ended().await;
    let told: Vec<_> = report.named.iter().map(|seen| (&*seen.name, seen.ran.as_secs())).collect();
    assert_eq!(told, [("/first", 13), ("/third", 11)]);
    assert_eq!((report.in_flight, report.cut()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_long_name_is_cut() {
    let drain = drain().build().unwrap();
    let _running = drain.try_admit_as(&"/path".repeat(100)).unwrap();
    drain.end();
    assert_eq!(drain.ended().await.named[0].name.len(), NAME_BYTES);
}

/// There are so many places on each shard; the others are counted.
#[tokio::test(start_paused = true)]
async fn more_than_can_be_named_are_counted() {
    let drain = drain().build().unwrap();
    let calls = ROLL_PLACES + 10;
    let running: Vec<_> = (0..calls).map(|_| drain.try_admit_as("/x").unwrap()).collect();
    drain.end();
    let report = drain.ended().await;
    assert_eq!((report.cut(), report.named.len()), (calls as u64, ROLL_PLACES));
    assert!(report.to_string().ends_with(", and others"), "{report}");
    drop(running);
    assert_eq!(drain.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_named_where_that_is_not_wanted() {
    let drain = drain().unnamed().build().unwrap();
    let _running = drain.try_admit_as("/secret").unwrap();
    drain.end();
    let report = drain.ended().await;
    assert_eq!((report.cut(), report.named.len()), (1, 0));
}
