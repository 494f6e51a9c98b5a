//! gRPC service configs: what is read, what is refused, and what calls do by them.

#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod calls;
mod documents;
mod reloads;

use portcullis::{Registry, ServiceConfig, service_config::ServiceConfigError};

/// Reads a document for a server of its own.
fn read(json: &str) -> Result<ServiceConfig, ServiceConfigError> {
    ServiceConfig::in_registry("shop", json, &Registry::new())
}

/// A document with this for all methods of the service `a.B`.
fn method(fields: &str) -> String {
    format!(r#"{{ "methodConfig": [{{ "name": [{{ "service": "a.B" }}], {fields} }}] }}"#)
}

/// A retry policy, in which the fields that a test is about come last and count.
fn retry_policy(fields: &str) -> String {
    method(&format!(
        r#""retryPolicy": {{ "maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "1s",
            "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"] {fields} }}"#
    ))
}

/// The same document with a throttle.
fn throttled(json: &str, tokens: u32, ratio: f64) -> String {
    let open = json.strip_suffix('}').expect("an object");
    format!(r#"{open}, "retryThrottling": {{ "maxTokens": {tokens}, "tokenRatio": {ratio} }} }}"#)
}
