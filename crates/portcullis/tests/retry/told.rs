//! What listeners are told.

use std::sync::{Arc, Mutex};

use portcullis::{
    BoxError, FailureKind, Registry, RetryPolicy,
    event::{EventKind, Interest, Retried},
    retry::{Backoff, Jitter, Stop},
};

use crate::support::ms;

/// What is told of a call whose attempts fail but for the one of this number.
async fn told(works: u32) -> Vec<EventKind> {
    let registry = Registry::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| {
        assert_eq!(&*event.policy, "orders");
        log.lock().unwrap().push(event.what.clone());
    });
    let backoff = Backoff { jitter: Jitter::None, ..Backoff::fixed(ms(5)) };
    let retries = RetryPolicy::builder("orders").registry(&registry).backoff(backoff).build().unwrap();
    let _: Result<(), BoxError> = retries
        .call_idempotent(|attempt| async move {
            if attempt.number() == works {
                return Ok(());
            }
            let kind =
                if attempt.number() == 1 { std::io::ErrorKind::TimedOut } else { std::io::ErrorKind::Other };
            Err(std::io::Error::from(kind).into())
        })
        .await;
    assert!(retries.recent_events().is_empty(), "what happens with single calls is not kept");
    std::mem::take(&mut *told.lock().unwrap())
}

fn retry(attempt: u32, after: FailureKind) -> EventKind {
    EventKind::Retry { attempt, after, wait: ms(5) }
}

#[tokio::test(start_paused = true)]
async fn the_attempts_and_how_they_failed() {
    let (timeout, other) = (FailureKind::Timeout, FailureKind::Other);
    assert_eq!(told(1).await, []);

    let recovered = Retried { attempts: 2, failures: [timeout].into_iter().collect(), stopped: None };
    assert_eq!(told(2).await, [retry(2, timeout), EventKind::Retried(recovered)]);

    let failures = [timeout, other, other].into_iter().collect();
    let gave_up = Retried { attempts: 3, failures, stopped: Some(Stop::Exhausted) };
    assert_eq!(told(9).await, [retry(2, timeout), retry(3, other), EventKind::Retried(gave_up)]);
    assert_eq!(
        gave_up.to_string(),
        "gave up after attempt 3 (timeout, other, other): all attempts were made"
    );
}
