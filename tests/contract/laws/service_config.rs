//! gRPC service configs: calls that are timed, retried, hedged, or neither.

use portcullis::{Registry, ServiceConfig, ServiceConfigLayer};
use portcullis_testkit::laws;
use portcullis_tonic::Tonic;

use crate::{exchange::Rpc, policies::ATTEMPTS};

/// A layer with this for all methods.
fn layer(fields: &str) -> ServiceConfigLayer {
    let json = format!(
        r#"{{ "methodConfig": [{{ "name": [{{}}], {fields} }}],
            "retryThrottling": {{ "maxTokens": 1000, "tokenRatio": 1000 }} }}"#
    );
    ServiceConfigLayer::new(ServiceConfig::in_registry("laws", &json, &Registry::new()).unwrap())
}

const ONCE: &str = r#""waitForReady": true"#;
const TIMED: &str = r#""timeout": "120s""#;
const RETRIED: &str = r#""timeout": "120s", "retryPolicy": { "maxAttempts": 3, "initialBackoff": "0.01s",
    "maxBackoff": "0.1s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNKNOWN", "UNAVAILABLE"] }"#;
/// Later than the laws let a call wait.
const HEDGED: &str = r#""hedgingPolicy": { "maxAttempts": 3, "hedgingDelay": "3600s",
    "nonFatalStatusCodes": ["UNKNOWN"] }"#;

laws!(once in Rpc, || layer(ONCE));
laws!(timed in Rpc, || layer(TIMED));
laws!(retried in Rpc, || layer(RETRIED), attempts = ATTEMPTS);
laws!(hedged in Rpc, || layer(HEDGED), attempts = ATTEMPTS);
laws!(of_tonic in Rpc, || layer(RETRIED).protocol(Tonic::default()), attempts = ATTEMPTS);
