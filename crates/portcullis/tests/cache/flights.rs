//! Calls that are made once for all.

use std::{io, sync::Arc};

use futures_util::future::join_all;
use portcullis::{BoxError, Cache, Registry, share::SharedError};
use tokio::time::advance;
use tower::Service;

use crate::support::{Calls, Item, ask, ms, prices, service, settle, slow};

#[tokio::test(start_paused = true)]
async fn fifty_who_want_the_same_make_one_call() {
    let cache = prices().build().unwrap();
    let service = slow(&cache, ms(100));
    let answers = join_all((0..50).map(|_| ask(&service, "apple"))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap() == 1));
    let status = cache.status();
    assert_eq!((status.misses, status.coalesced), (1, 49));
    assert_eq!(ask(&service, "apple").await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_for_all_who_wait_and_for_nobody_else() {
    let cache = prices().build().unwrap();
    let service = service(&cache, |n| async move {
        tokio::time::sleep(ms(10)).await;
        if n == 1 { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(n as u32) }
    });
    let errors = join_all((0..50).map(|_| ask(&service, "apple"))).await;
    assert!(errors.into_iter().all(|error| error.unwrap_err().is::<SharedError>()));
    assert_eq!(cache.status().misses, 1);
    assert_eq!(ask(&service, "apple").await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_goes_hands_over_to_who_has_waited_longest() {
    let cache = prices().build().unwrap();
    let service = slow(&cache, ms(100));
    let call = |service| tokio::spawn(async move { ask(&service, "apple").await.unwrap() });
    let first = call(service.clone());
    settle().await;
    let (second, third) = (call(service.clone()), call(service));
    settle().await;
    first.abort();
    assert_eq!((second.await.unwrap(), third.await.unwrap()), (2, 2));
    assert_eq!(cache.status().misses, 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_one_callers_and_the_next_makes_the_call() {
    let cache = prices().build().unwrap();
    let service = service(&cache, |n| async move {
        tokio::time::sleep(ms(10)).await;
        assert_ne!(n, 1, "on purpose");
        Ok(n as u32)
    });
    let call = |service| tokio::spawn(async move { ask(&service, "apple").await.unwrap() });
    let first = call(service.clone());
    settle().await;
    let second = call(service);
    assert!(first.await.unwrap_err().is_panic());
    assert_eq!(second.await.unwrap(), 2);
}

/// Who has looked before it was there, and comes to the flights when that is over, does not call again.
#[tokio::test(start_paused = true)]
async fn who_comes_too_late_for_a_call_has_what_it_came_to() {
    let cache = prices().build().unwrap();
    let service = slow(&cache, ms(10));
    let late = service.clone().call(Item("apple")); // it looks now, and joins when it is polled
    assert_eq!(ask(&service, "apple").await.unwrap(), 1);
    assert_eq!(late.await.unwrap(), 1);
    assert_eq!(cache.status().misses, 1);
}

#[tokio::test]
async fn on_many_threads_too() {
    let cache = Cache::<u32, Arc<u32>>::builder("x").registry(&Registry::new()).build().unwrap();
    let calls = Calls::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let tasks: Vec<_> = (0..200u32)
        .map(|n| {
            let (cache, calls) = (cache.clone(), calls.clone());
            runtime.spawn(async move {
                let key = n % 4;
                let call = || async move {
                    calls.next();
                    tokio::task::yield_now().await;
                    Ok::<_, BoxError>(Arc::new(key))
                };
                *cache.call(&key, call).await.unwrap() == key
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(calls.count(), 4);
    runtime.shutdown_background();
}

#[tokio::test(start_paused = true)]
async fn without_tower_it_is_the_same() {
    let cache = prices().ttl(ms(100)).stale_if_error(ms(1000)).build().unwrap();
    let calls = Calls::default();
    let call = || {
        let calls = calls.clone();
        async move {
            let n = calls.next() as u32;
            tokio::time::sleep(ms(10)).await;
            if n == 2 { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(n) }
        }
    };
    let all = join_all((0..10).map(|_| cache.call("apple", call))).await;
    assert!(all.into_iter().all(|answer| answer.unwrap() == 1));
    advance(ms(100)).await;
    assert_eq!(cache.call("apple", call).await.unwrap(), 1, "the call has failed");
    assert_eq!(cache.call("apple", call).await.unwrap(), 3);
    let status = cache.status();
    assert_eq!((status.misses, status.coalesced, status.stale), (3, 9, 1));
}
