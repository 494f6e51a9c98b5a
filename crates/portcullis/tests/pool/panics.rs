//! Calls that panic.

use std::sync::{Arc, Mutex, mpsc::channel};

use portcullis::{
    Breaker, BreakerLayer, FailureKind, Reason, Registry, ThreadPoolLayer,
    event::{EventKind, Interest},
};
use tokio::time::sleep;
use tokio_test::{assert_pending, task::spawn};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::support::{Done, eventually, ms, pool};

#[tokio::test(start_paused = true)]
async fn a_panic_comes_back_as_an_error() {
    let pool = pool(1).build().unwrap();
    let closure = pool.run(|| -> Done { panic!("in a closure") }).await.unwrap_err();
    assert_eq!(closure.reason(), Reason::Panicked);
    assert_eq!(closure.to_string(), "thread_pool 'pool' saw it panic");
    let failure = closure.verdict();
    assert!(matches!(failure, portcullis::Verdict::Failure(failure) if failure.kind == FailureKind::Panic));

    let at_once = pool.call(|| async { if true { panic!("at once") } else { Done::Ok(()) } }).await;
    let late = pool.call(|| async {
        sleep(ms(1)).await;
        if true { panic!("late") } else { Done::Ok(()) }
    });
    let making = || -> std::future::Ready<Done> { panic!("before there is a future") };
    for error in [at_once, late.await, pool.call(making).await] {
        assert_eq!(error.unwrap_err().reason(), Reason::Panicked);
    }
    assert_eq!((pool.status().panics, pool.status().busy, pool.status().rejected), (4, 0, 0));
    assert_eq!(pool.run(|| Done::Ok(1)).await.unwrap(), 1, "the thread goes on");
}

/// Thrown: panics when it is dropped.
#[derive(Debug)]
struct Nasty;

impl Drop for Nasty {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("again");
        }
    }
}

#[tokio::test]
async fn whatever_is_thrown_and_wherever_the_thread_goes_on() {
    let pool = pool(1).build().unwrap();
    let thrown = pool.run(|| -> Done { std::panic::panic_any(Nasty) }).await.unwrap_err();
    assert_eq!(thrown.reason(), Reason::Panicked);
    let dropped = pool.call(|| async {
        let _nasty = Nasty;
        Done::Ok(())
    });
    assert_eq!(dropped.await.unwrap_err().reason(), Reason::Panicked);

    // Its answer panics when it is dropped, which it is on the thread, because nobody is there any more.
    let (begins, begun) = channel();
    let (go, goes) = channel::<()>();
    let mut gone = spawn(pool.run(move || {
        begins.send(()).unwrap();
        let _ = goes.recv();
        Done::Ok(Nasty)
    }));
    assert_pending!(gone.poll());
    begun.recv().unwrap();
    drop(gone);
    go.send(()).unwrap();
    eventually(|| pool.status().busy == 0);
    assert_eq!(pool.run(|| Done::Ok(1)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_panic_nobody_waits_for_is_counted_too() {
    let pool = pool(1).build().unwrap();
    let (begins, begun) = channel();
    let (go, goes) = channel::<()>();
    let mut gone = spawn(pool.run(move || -> Done {
        begins.send(()).unwrap();
        let _ = goes.recv();
        panic!("unseen")
    }));
    assert_pending!(gone.poll());
    begun.recv().unwrap();
    drop(gone);
    go.send(()).unwrap();
    eventually(|| (pool.status().panics, pool.status().busy) == (1, 0));
    assert_eq!(pool.status().cancelled, 1);
}

#[tokio::test]
async fn listeners_hear_what_it_said() {
    let registry = Registry::new();
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| {
        if let EventKind::Panicked { message } = &event.what {
            heard.lock().unwrap().push((message.clone(), event.to_string()));
        }
    });
    let pool = pool(1).registry(&registry).build().unwrap();
    let number = 5;
    pool.run(move || -> Done { panic!("no page {number}") }).await.unwrap_err();
    pool.run(|| -> Done { std::panic::panic_any(5) }).await.unwrap_err();
    pool.run(|| -> Done { panic!("{}", "ä".repeat(1000)) }).await.unwrap_err();
    let said = said.lock().unwrap();
    assert_eq!(&*said[0].0, "no page 5");
    assert_eq!(said[0].1, "thread_pool 'pool' saw a call panic: no page 5");
    assert_eq!(&*said[1].0, "something that is no text");
    assert_eq!(said[2].0.chars().count(), 256);
}

#[tokio::test]
async fn a_listener_that_panics_keeps_nobody_from_the_answer() {
    let registry = Registry::new();
    let _subscription = registry.events().listen(Interest::All, |_| panic!("a listener"));
    let pool = pool(1).registry(&registry).build().unwrap();
    let error = pool.run(|| -> Done { panic!("the work") }).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Panicked);
}

#[tokio::test]
async fn a_breaker_above_counts_it() {
    let breaker =
        Breaker::builder("above").consecutive_failures(2).registry(&Registry::new()).build().unwrap();
    let pool = pool(1).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()))
        .layer(ThreadPoolLayer::new(pool.clone()))
        .service(service_fn(|n: u32| async move {
            assert_ne!(n, 0);
            Ok::<_, portcullis::BoxError>(n)
        }));
    for _ in 0..2 {
        service.clone().oneshot(0).await.unwrap_err();
    }
    assert!(breaker.is_refusing());
    assert_eq!(pool.status().panics, 2);
}
