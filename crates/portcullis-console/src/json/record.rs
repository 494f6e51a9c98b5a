//! Decision records: what a policy measured when it refused.

use std::time::Duration;

use portcullis::{BreakerEvidence, Reason};
use serde_json::{Map, Value as Json, json};

/// To the microsecond.
pub(super) fn millis(time: Duration) -> Json {
    (time.as_micros() as f64 / 1e3).into()
}

/// The fields of a reason, by the names of the documentation; times in milliseconds.
pub(super) fn record(reason: &Reason) -> Map<String, Json> {
    let fields = match *reason {
        Reason::Breaker(evidence) => breaker(&evidence),
        Reason::BulkheadFull { limit, queued } => json!({ "limit": limit, "queued": queued }),
        Reason::QueueTimeout { limit, max_wait } => {
            json!({ "limit": limit, "max_wait_ms": millis(max_wait) })
        }
        Reason::BulkheadShort { limit, free, queued, weight } => {
            json!({ "limit": limit, "free": free, "queued": queued, "weight": weight })
        }
        Reason::QueueDropped { limit, waited, target } => {
            json!({ "limit": limit, "waited_ms": millis(waited), "target_ms": millis(target) })
        }
        Reason::Timeout { scope, limit, sent } => {
            json!({ "scope": scope.as_str(), "limit_ms": millis(limit), "sent": sent })
        }
        Reason::KeyFull { limit, in_flight, overall, queued } => {
            json!({ "limit": limit, "in_flight": in_flight, "overall": overall, "queued": queued })
        }
        ref other => rates_and_pools(other),
    };
    match fields {
        Json::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn breaker(evidence: &BreakerEvidence) -> Json {
    let BreakerEvidence { failures, slow, calls, .. } = *evidence;
    json!({
        "state": evidence.state.as_str(),
        "rule": evidence.cause.map(|cause| cause.as_str()),
        "limit": evidence.cause.map(|_| evidence.limit),
        "failures": failures,
        "slow": slow,
        "calls": calls,
        "failure_ratio": evidence.failure_ratio(),
        "last_failure": evidence.last_failure.map(|kind| kind.as_str()),
    })
}

fn rates_and_pools(reason: &Reason) -> Json {
    match *reason {
        Reason::RateLimited { permits, period, cost, queued } => {
            json!({ "permits": permits, "period_ms": millis(period), "cost": cost, "queued": queued })
        }
        Reason::LimitReached { limit, in_flight } => json!({ "limit": limit, "in_flight": in_flight }),
        Reason::Throttled { requests, accepted, chance } => {
            json!({ "requests": requests, "accepted": accepted, "chance": chance })
        }
        Reason::Overloaded { signal, measured, limit } => {
            json!({ "signal": signal.as_str(), "measured": measured, "limit": limit })
        }
        Reason::PoolFull { threads, queued } => json!({ "threads": threads, "queued": queued }),
        Reason::PoolTimeout { threads, max_wait } => {
            json!({ "threads": threads, "max_wait_ms": millis(max_wait) })
        }
        Reason::NoEndpoint { endpoints } => json!({ "endpoints": endpoints }),
        Reason::Stopped { kind, why } => json!({ "kind": kind.as_str(), "why": why }),
        Reason::Injected { kind } => json!({ "failure": kind.as_str() }),
        _ => json!({}),
    }
}
