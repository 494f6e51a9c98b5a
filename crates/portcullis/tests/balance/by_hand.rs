//! Ejection without tower.

use portcullis::{BoxError, Failure, FailureKind, Ticket, Verdict};

use super::support::{outliers, secs};

#[tokio::test(start_paused = true)]
async fn endpoints_of_ones_own_balancer_are_ejected() {
    let outliers = outliers().consecutive(2).build().unwrap();
    let [a, b] = ["a", "b"].map(|name| outliers.join(name));
    for _ in 0..2 {
        let mut ticket = a.admit();
        assert_eq!(a.in_flight(), 1);
        ticket.settle(Verdict::from(Failure::new(FailureKind::Unavailable)));
        ticket.settle(Verdict::Success);
    }
    assert!(!a.is_usable() && b.is_usable());
    tokio::time::sleep(secs(30)).await;
    assert!(a.is_usable());
    drop(b);
    assert_eq!((outliers.status().endpoints, a.in_flight()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_function_is_called_and_counted() {
    let outliers = outliers().consecutive(1).build().unwrap();
    let [a, _b] = ["a", "b"].map(|name| outliers.join(name));
    assert_eq!(a.call(|| async { Ok::<_, BoxError>(3) }).await.unwrap(), 3);
    assert!(a.call(|| async { Err::<(), BoxError>("broken".into()) }).await.is_err());
    assert_eq!((a.is_usable(), outliers.status().successes), (false, 1));
}
