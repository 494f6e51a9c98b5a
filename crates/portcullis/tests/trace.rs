//! What a log shows of events.
#![cfg(feature = "tracing")]
#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use portcullis::{
    Breaker, Failure, FailureKind, Name, PolicyKind, Reason, Registry, Rejection, Ticket,
    event::{Emitter, Interest},
    trace,
};
use serde_json::{Value, json};
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
