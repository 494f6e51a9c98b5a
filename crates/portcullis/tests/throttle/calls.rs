//! What counts as what.

use portcullis::{
    BoxError, Bulkhead, BulkheadLayer, FailureKind, PolicyKind, Reason, Registry, Rejection, Throttle,
    ThrottleLayer, Ticket, Verdict, throttle::DEFAULT_REFUSED_BY,
};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::support::{Error, builder, end, failure, held_back, ms, refused_by_dependency, throttle};

/// Requests and accepted ones.
fn seen(throttle: &Throttle) -> (u64, u64) {
    let status = throttle.status();
    (status.requests, status.accepted)
}

#[tokio::test(start_paused = true)]
async fn a_success_is_accepted_and_so_is_a_failure_in_the_work() {
    for kind in FailureKind::ALL {
        let throttle = throttle();
        end(&throttle, Verdict::Success);
        end(&throttle, failure(kind));
        let accepted = if DEFAULT_REFUSED_BY.contains(&kind) { 1 } else { 2 };
        assert_eq!(seen(&throttle), (2, accepted), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn which_failures_count_can_be_said() {
    let throttle = builder().refused_by([FailureKind::Internal]).build().unwrap();
    end(&throttle, failure(FailureKind::Internal));
    end(&throttle, failure(FailureKind::RateLimited));
    assert_eq!(seen(&throttle), (2, 1));
}

/// The dependency has neither taken nor refused what it never saw, nor what nobody waited for.
#[tokio::test(start_paused = true)]
async fn what_says_nothing_counts_as_not_made() {
    let throttle = throttle();
    for _ in 0..50 {
        end(&throttle, Verdict::Ignored);
        drop(throttle.try_admit().unwrap());
    }
    let status = throttle.status();
    assert_eq!((status.requests, status.accepted, status.chance), (0, 0, 0.0));
    assert_eq!(status.ignored_total, 100);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_a_layer_below_counts_as_not_made() {
    let throttle = throttle();
    let full = Bulkhead::builder("full").max_in_flight(1).registry(&Registry::new()).build().unwrap();
    let _all = full.try_admit().unwrap();
    let service = ServiceBuilder::new()
        .layer(ThrottleLayer::new(throttle.clone()))
        .layer(BulkheadLayer::new(full))
        .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }));
    for n in 0..50 {
        let error = service.clone().oneshot(n).await.unwrap_err();
        assert_eq!(Rejection::find(&*error).unwrap().kind(), PolicyKind::Bulkhead);
    }
    assert_eq!((seen(&throttle), throttle.status().ignored_total), ((0, 0), 50));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_counts_as_not_made() {
    let throttle = throttle();
    let service = ServiceBuilder::new()
        .layer(ThrottleLayer::new(throttle.clone()))
        .service(service_fn(|_: u32| std::future::pending::<Result<u32, BoxError>>()));
    for n in 0..20 {
        tokio::time::timeout(ms(10), service.clone().oneshot(n)).await.unwrap_err();
    }
    assert_eq!((seen(&throttle), throttle.status().ignored_total), ((0, 0), 20));
}

#[tokio::test(start_paused = true)]
async fn a_panic_goes_on_and_was_accepted() {
    let throttle = throttle();
    let service = ServiceBuilder::new()
        .layer(ThrottleLayer::new(throttle.clone()))
        .service(service_fn(|n: u32| async move { (n > 9).then_some(n).ok_or_else(|| panic_now()) }));
    let panics = tokio::spawn(service.oneshot(1)).await.unwrap_err();
    assert!(panics.is_panic());
    assert_eq!(seen(&throttle), (1, 1));
}

#[expect(clippy::panic, reason = "the panic that is asked for")]
fn panic_now() -> BoxError {
    panic!("now")
}

#[tokio::test(start_paused = true)]
async fn a_rejection_says_what_it_was_decided_by() {
    let throttle = throttle();
    refused_by_dependency(&throttle, 10);
    let before = throttle.status();
    let rejection = loop {
        match throttle.try_admit() {
            Err(rejection) => break rejection,
            Ok(ticket) => drop(ticket),
        }
    };
    let requests = u32::try_from(before.requests).unwrap();
    assert_eq!(rejection.reason(), Reason::Throttled { requests, accepted: 0, chance: 0.9 });
    assert_eq!((rejection.retry_after(), &**rejection.policy()), (None, "throttle"));
    assert_eq!(throttle.status().requests, before.requests + 1, "it is a request, too");
    assert_eq!(throttle.status().rejected, 1);
}

/// Nine of ten, and not nine in a row and then one.
#[tokio::test(start_paused = true)]
async fn who_is_held_back_is_drawn_by_lot() {
    let throttle = throttle();
    refused_by_dependency(&throttle, 100);
    let passed: Vec<bool> = (0..2000)
        .map(|_| match throttle.try_admit() {
            Ok(mut ticket) => {
                ticket.settle(failure(FailureKind::Unavailable));
                true
            }
            Err(_) => false,
        })
        .collect();
    let share = passed.iter().filter(|passed| **passed).count();
    assert!((160..240).contains(&share), "{share} of 2000");
    let pairs = passed.windows(2).filter(|pair| pair[0] && pair[1]).count();
    assert!((5..40).contains(&pairs), "one in a hundred: {pairs}");
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_draws_the_same() {
    let draws = |seed| {
        let throttle = builder().seed(seed).build().unwrap();
        refused_by_dependency(&throttle, 30);
        (0..64).map(|_| throttle.try_admit().is_ok()).collect::<Vec<_>>()
    };
    assert_eq!(draws(7), draws(7));
    assert_ne!(draws(7), draws(7_000));
}

#[tokio::test(start_paused = true)]
async fn works_without_tower() {
    let throttle = throttle();
    let answer = throttle.call(|| async { Ok::<_, Error>(3) }).await;
    assert_eq!((answer.unwrap(), seen(&throttle)), (3, (1, 1)));
    for _ in 0..30 {
        let _ = throttle.call(|| async { Err::<u32, _>(Error::Of(FailureKind::Unavailable)) }).await;
    }
    let status = throttle.status();
    assert_eq!((status.accepted, status.requests), (1, 31));
    assert!(status.refused_total > 0 && status.rejected > 0 && status.chance > 0.8);
    let call = tokio::spawn({
        let throttle = throttle.clone();
        async move { throttle.call(std::future::pending::<Result<u32, Error>>).await }
    });
    call.abort();
    call.await.unwrap_err();
    assert_eq!(throttle.status().accepted, 1);
}

#[derive(Clone)]
struct NeverReady;

impl tower::Service<u32> for NeverReady {
    type Response = u32;
    type Error = BoxError;
    type Future = std::future::Ready<Result<u32, BoxError>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Pending
    }

    fn call(&mut self, n: u32) -> Self::Future {
        std::future::ready(Ok(n))
    }
}

/// The refusal waits for nothing: not for the inner service to be ready, either.
#[tokio::test(start_paused = true)]
async fn who_is_held_back_waits_for_nothing() {
    let throttle = throttle();
    refused_by_dependency(&throttle, 30);
    let service = ServiceBuilder::new().layer(ThrottleLayer::new(throttle.clone())).service(NeverReady);
    let calls: Vec<_> = (0..100).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    tokio::time::sleep(ms(1)).await;
    let mut refused = 0;
    for call in calls {
        if call.is_finished() {
            assert!(held_back(&call.await.unwrap()));
            refused += 1;
        }
    }
    assert!((80..98).contains(&refused), "{refused} of 100");
}

/// Each of them has a lot of its own.
#[tokio::test(start_paused = true)]
async fn a_clone_does_not_take_the_lot_with_it() {
    let throttle = throttle();
    refused_by_dependency(&throttle, 100);
    let mut service = ServiceBuilder::new()
        .layer(ThrottleLayer::new(throttle))
        .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }));
    std::future::poll_fn(|cx| tower::Service::poll_ready(&mut service, cx)).await.unwrap();
    let mut passed = 0;
    for n in 0..100 {
        passed += u32::from(service.clone().oneshot(n).await.is_ok());
    }
    assert!((1..100).contains(&passed), "{passed}");
}

#[test]
fn the_happy_path_allocates_nothing() {
    let throttle = throttle();
    let call = || throttle.try_admit().unwrap().settle(Verdict::Success);
    call();
    assert_eq!(allocation_counter::measure(call).count_total, 0);
}
