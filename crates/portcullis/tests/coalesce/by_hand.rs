//! Without tower.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use futures_util::{FutureExt, future::join_all};
use portcullis::{coalesce::OnFailure, share::SharedError};

use super::support::{coalesce, ms};

#[tokio::test(start_paused = true)]
async fn calls_of_a_key_are_one() {
    let (coalesce, calls) = (coalesce().build().unwrap(), AtomicU32::new(0));
    let call = |key: u32| {
        coalesce.call(key, || async {
            tokio::time::sleep(ms(10)).await;
            Ok::<_, SharedError>(calls.fetch_add(1, Relaxed))
        })
    };
    let answers = join_all([1, 1, 2, 1].map(call)).await;
    assert_eq!(answers.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn failures_are_shared_or_not() {
    for (then, expected) in [(OnFailure::Share, 1), (OnFailure::Promote, 3)] {
        let (coalesce, calls) = (coalesce().on_failure(then).build().unwrap(), AtomicU32::new(0));
        let call = |()| {
            coalesce.call("key", || async {
                tokio::time::sleep(ms(10)).await;
                calls.fetch_add(1, Relaxed);
                Err::<u32, _>(SharedError::new("boom"))
            })
        };
        let answers = join_all([(), (), ()].map(call)).await;
        assert!(answers.into_iter().all(|answer| answer.is_err()));
        assert_eq!((calls.load(Relaxed), coalesce.status().keys), (expected, 0), "{then}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_lets_the_next_lead() {
    let coalesce = coalesce().build().unwrap();
    let call = |answer: u32| {
        coalesce.call("key", move || async move {
            tokio::time::sleep(ms(10)).await;
            Ok::<_, SharedError>(answer)
        })
    };
    let mut leader = Box::pin(call(1));
    assert!(leader.as_mut().now_or_never().is_none());
    let mut waiter = Box::pin(call(2));
    assert!(waiter.as_mut().now_or_never().is_none());
    drop(leader);
    assert_eq!(waiter.await.unwrap(), 2);
    assert_eq!(coalesce.status().promoted, 1);
}
