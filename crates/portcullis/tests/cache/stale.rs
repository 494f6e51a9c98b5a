//! What is served when its time is over.

use std::io;

use futures_util::future::join_all;
use portcullis::{
    BoxError, Breaker, BreakerLayer, CacheLayer, FailureKind, Registry, Rejection, cache::CacheBuilder,
    keyed::by,
};
use tokio::time::advance;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::{ask, ms, prices, service, settle, slow};

#[tokio::test(start_paused = true)]
async fn it_is_served_at_once_and_fetched_once_in_the_background() {
    let cache = prices().ttl(ms(100)).stale_while_revalidate(ms(100)).build().unwrap();
    let service = slow(&cache, ms(10));
    ask(&service, "apple").await.unwrap();
    advance(ms(100)).await;
    let begin = tokio::time::Instant::now();
    let answers = join_all((0..50).map(|_| ask(&service, "apple"))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap() == 1));
    assert_eq!(begin.elapsed(), ms(0));
    tokio::time::sleep(ms(11)).await;
    assert_eq!(ask(&service, "apple").await.unwrap(), 2);
    let status = cache.status();
    assert_eq!((status.misses, status.stale, status.refreshes, status.hits), (1, 50, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn after_its_window_it_is_not_served() {
    let cache = prices().ttl(ms(100)).stale_while_revalidate(ms(50)).build().unwrap();
    let service = slow(&cache, ms(0));
    ask(&service, "apple").await.unwrap();
    advance(ms(150)).await;
    assert_eq!(ask(&service, "apple").await.unwrap(), 2);
    assert_eq!(cache.status().stale, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_changes_nothing() {
    let cache = prices().ttl(ms(100)).stale_while_revalidate(ms(100)).build().unwrap();
    let service = service(&cache, |n| async move {
        if n == 2 { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(n as u32) }
    });
    ask(&service, "apple").await.unwrap();
    advance(ms(100)).await;
    assert_eq!(ask(&service, "apple").await.unwrap(), 1);
    settle().await;
    assert_eq!(ask(&service, "apple").await.unwrap(), 1);
    settle().await;
    assert_eq!(ask(&service, "apple").await.unwrap(), 3);
    assert_eq!((cache.status().refreshes, cache.status().refreshes_failed), (2, 1));
}

/// Asks an entry of 100 ms again after 150 ms, when calls fail.
async fn when_calls_fail(cache: CacheBuilder<Box<str>, u32>, kind: io::ErrorKind) -> Result<u32, BoxError> {
    let cache = cache.ttl(ms(100)).build().unwrap();
    let service =
        service(&cache, move |n| async move { if n == 1 { Ok(1) } else { Err(io::Error::from(kind)) } });
    ask(&service, "apple").await.unwrap();
    advance(ms(150)).await;
    ask(&service, "apple").await
}

#[tokio::test(start_paused = true)]
async fn it_is_served_when_the_call_fails() {
    let set = || prices().stale_if_error(ms(100));
    assert_eq!(when_calls_fail(set(), io::ErrorKind::ConnectionRefused).await.unwrap(), 1);
    assert!(when_calls_fail(prices(), io::ErrorKind::ConnectionRefused).await.is_err(), "only if asked for");
    let short = prices().stale_if_error(ms(50));
    assert!(when_calls_fail(short, io::ErrorKind::ConnectionRefused).await.is_err(), "its window is over");
    let only = || set().stale_only([FailureKind::Timeout]);
    assert!(when_calls_fail(only(), io::ErrorKind::ConnectionRefused).await.is_err());
    assert_eq!(when_calls_fail(only(), io::ErrorKind::TimedOut).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_is_served_when_a_breaker_below_is_open() {
    for covered in [true, false] {
        let cache = prices().ttl(ms(100)).stale_if_error(ms(1000)).stale_on_refusal(covered).build().unwrap();
        let breaker = Breaker::builder("prices").registry(&Registry::new()).build().unwrap();
        let service = ServiceBuilder::new()
            .layer(CacheLayer::new(cache.clone()).by(by::text(|item: &&'static str| Some(*item))))
            .layer(BreakerLayer::new(breaker.clone()))
            .service(service_fn(|_: &'static str| async { Ok::<_, BoxError>(1u32) }));
        service.clone().oneshot("apple").await.unwrap();
        advance(ms(100)).await;
        breaker.isolate();
        let all = join_all((0..10).map(|_| service.clone().oneshot("apple"))).await;
        for answer in all {
            match answer {
                Ok(price) => assert!(covered && price == 1),
                Err(error) => assert!(!covered && error.is::<Rejection>(), "{error}"),
            }
        }
    }
}

/// Those who wait for a call that fails get what is stale, too.
#[tokio::test(start_paused = true)]
async fn who_waits_gets_it_too() {
    let cache = prices().ttl(ms(100)).stale_if_error(ms(1000)).build().unwrap();
    let service = service(&cache, |n| async move {
        tokio::time::sleep(ms(10)).await;
        if n == 1 { Ok(1) } else { Err(io::Error::from(io::ErrorKind::TimedOut)) }
    });
    ask(&service, "apple").await.unwrap();
    advance(ms(100)).await;
    let all = join_all((0..10).map(|_| ask(&service, "apple"))).await;
    assert!(all.into_iter().all(|answer| answer.unwrap() == 1));
    assert_eq!((cache.status().misses, cache.status().coalesced), (2, 9));
}
