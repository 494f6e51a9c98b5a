//! What a log shows of events.
#![cfg(feature = "tracing")]
#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis::{
    BoxError, Breaker, Failure, FailureKind, Name, PolicyKind, Reason, Registry, Rejection, RetryPolicy,
    Ticket,
    event::{Emitter, Interest},
    retry::{Backoff, Jitter},
    trace,
};
use serde_json::{Value, json};
use tracing::Instrument;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Everything that is logged meanwhile.
fn logged(test: impl FnOnce()) -> Vec<Value> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .without_time()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_writer(lines.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, test);
    let bytes = lines.0.lock().unwrap();
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

fn isolated(interest: Interest) -> Vec<Value> {
    logged(|| {
        let registry = Registry::new();
        let _subscription = trace::install(&registry, interest);
        let breaker = Breaker::builder("inventory").registry(&registry).build().unwrap();
        breaker.isolate();
        breaker.try_admit().unwrap_err();
        breaker.release();
    })
}

#[test]
fn changes_and_refusals_are_told_with_what_is_known() {
    let lines = isolated(Interest::All);
    assert_eq!(
        lines,
        [
            json!({
                "level": "WARN", "target": "portcullis", "message": "state changed", "policy": "inventory",
                "kind": "breaker", "state": "isolated", "from": "closed", "to": "isolated",
            }),
            json!({
                "level": "DEBUG", "target": "portcullis", "message": "call refused", "policy": "inventory",
                "kind": "breaker", "state": "isolated", "reason": "isolated", "enforced": true,
            }),
            json!({
                "level": "INFO", "target": "portcullis", "message": "state changed", "policy": "inventory",
                "kind": "breaker", "state": "closed", "from": "isolated", "to": "closed",
            }),
        ]
    );
}

/// The same decision record as in the error and the response.
#[test]
fn a_refusal_says_by_which_rule_and_which_values() {
    let lines = logged(|| {
        let registry = Registry::new();
        let _subscription = trace::install(&registry, Interest::All);
        let breaker = Breaker::builder("inventory").registry(&registry).build().unwrap();
        for _ in 0..5 {
            breaker.try_admit().unwrap().settle(Failure::new(FailureKind::Timeout).into());
        }
        breaker.try_admit().unwrap_err();
        let (name, reason) = (Name::from("pool"), Reason::BulkheadFull { limit: 1, queued: 0 });
        let emitter = Emitter::new(name.clone(), PolicyKind::Bulkhead, &registry);
        emitter.rejected(&Rejection::new(name, reason), true);
    });
    for line in &lines[..2] {
        assert_eq!((&line["rule"], &line["limit"]), (&json!("consecutive_failures"), &json!(5.0)));
        assert_eq!((&line["failure_ratio"], &line["calls"]), (&json!(1.0), &json!(5)));
        assert_eq!(line["last_failure"], "timeout");
    }
    assert_eq!(lines[2]["detail"], "is full: 1 in flight, 0 queued");
}

#[test]
fn refusals_can_be_left_out() {
    assert_eq!(isolated(Interest::Changes).len(), 2);
}

#[test]
fn a_refusal_says_when_to_come_back() {
    let lines = logged(|| {
        let registry = Registry::new();
        let _subscription = trace::install(&registry, Interest::All);
        let breaker = Breaker::builder("inventory").registry(&registry).build().unwrap();
        breaker.trip();
        breaker.try_admit().unwrap_err();
    });
    assert!(
        lines[1]["retry_after_ms"].as_u64().is_some_and(|millis| (1..=5000).contains(&millis)),
        "{lines:?}"
    );
}

#[test]
fn retries_are_told_with_what_is_known_of_each_attempt() {
    let lines = logged(|| {
        let registry = Registry::new();
        let _subscription = trace::install(&registry, Interest::All);
        let backoff = Backoff::linear(Duration::from_millis(20)).jitter(Jitter::None);
        let builder = RetryPolicy::builder("orders").registry(&registry).backoff(backoff);
        let policy = builder.max_attempts(2).build().unwrap();

        let mut recovers = policy.begin().idempotent(true);
        recovers.next(&Failure::new(FailureKind::Timeout)).unwrap();
        recovers.succeeded();
        let mut gives_up = policy.begin().idempotent(true);
        gives_up.next(&Failure::new(FailureKind::Timeout)).unwrap();
        gives_up.next(&Failure::new(FailureKind::Network)).unwrap_err();
        policy.set_mode(portcullis::Mode::Shadow).unwrap();
    });
    let told = |message: &str, fields: Value| {
        let mut line = json!({
            "level": "DEBUG", "target": "portcullis", "message": message, "policy": "orders", "kind": "retry",
        });
        line.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        line
    };
    let retry = told("retry", json!({ "attempt": 2, "failure": "timeout", "wait_ms": 20 }));
    assert_eq!(
        lines,
        [
            retry.clone(),
            told("retried", json!({ "attempts": 2, "failures": "timeout" })),
            retry,
            told("retried", json!({ "attempts": 2, "failures": "timeout, network", "stopped": "exhausted" })),
            told("new settings", json!({ "level": "INFO" })),
        ]
    );
}

/// The same decision in the span of the call, for who looks at a trace.
#[test]
fn retries_are_told_inside_the_span_of_the_call() {
    let lines = logged(|| {
        let registry = Registry::new();
        let _subscription = trace::install(&registry, Interest::All);
        let policy = RetryPolicy::builder("orders").registry(&registry).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let call = async {
            let calls = policy.call_idempotent(|_| async { Err::<(), BoxError>("lost".into()) });
            calls.await.unwrap_err();
        };
        runtime.unwrap().block_on(call.instrument(tracing::info_span!("checkout")));
    });
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line["span"]["name"] == "checkout"), "{lines:?}");
    assert_eq!(lines[2]["stopped"], "exhausted");
}

#[test]
fn retries_can_be_left_out() {
    let lines = logged(|| {
        let registry = Registry::new();
        let _subscription = trace::install(&registry, Interest::Changes);
        let policy = RetryPolicy::builder("orders").registry(&registry).build().unwrap();
        policy.begin().idempotent(true).next(&Failure::new(FailureKind::Timeout)).unwrap();
    });
    assert!(lines.is_empty(), "{lines:?}");
}
