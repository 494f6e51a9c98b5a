//! State changes and refusals through `tracing`.
//!
//! For logs, and to see in a trace why a call ended as it did: what is told of a refusal is told inside the
//! span of the call, which an [observer](crate::observe) makes. Everything has the target `portcullis`. A change is a warning when calls are refused
//! from then on, and information otherwise; a refusal is of the level `DEBUG`, because in an outage there
//! are thousands of them.
//!
//! ```
//! use portcullis::{Registry, event::Interest, trace};
//!
//! trace::install(Registry::global(), Interest::All).detach();
//! ```

use std::time::Duration;

use portcullis_core::{
    BreakerEvidence, FailureKind, Overload, Reason, Rejection,
    breaker::{Cause, State, Transition},
    health::Level,
    outlier::{Change, What},
};
use tracing::{debug, info, warn};

use crate::{
    Registry,
    event::{Event, EventKind, Interest, Subscription},
    retry::Stop,
};

/// The target of all that is told.
pub(crate) const TARGET: &str = "portcullis";

/// Tells the events of a registry through `tracing`, until the subscription is dropped.
///
/// With [`Interest::Changes`] refusals are not told, and cost nothing.
pub fn install(registry: &Registry, interest: Interest) -> Subscription {
    registry.events().listen(interest, tell)
}

fn tell(event: &Event) {
    match &event.what {
        EventKind::StateChange(change) => tell_change(event, change),
        EventKind::Rejected { rejection, enforced } => tell_rejection(event, rejection, *enforced),
        EventKind::Retry { .. } | EventKind::Retried(_) | EventKind::Hedge { .. } => tell_attempt(event),
        EventKind::Panicked { message } => warn!(
            target: TARGET,
            policy = &*event.policy,
            kind = event.kind.as_str(),
            detail = &**message,
            "call panicked"
        ),
        EventKind::Fallback { after } => debug!(
            target: TARGET,
            policy = &*event.policy,
            kind = event.kind.as_str(),
            after = after.map(|kind| kind.as_str()),
            "fallback"
        ),
        EventKind::Connection { connected, failures } => info!(
            target: TARGET,
            policy = &*event.policy,
            kind = event.kind.as_str(),
            connected,
            failures,
            "connection"
        ),
        EventKind::Promoted { waiting } => debug!(
            target: TARGET,
            policy = &*event.policy,
            kind = event.kind.as_str(),
            waiting,
            "promoted"
        ),
        EventKind::Injected { fault } => debug!(
            target: TARGET,
            policy = &*event.policy,
            kind = event.kind.as_str(),
            fault,
            "fault injected"
        ),
        EventKind::LimitChanged { from, to } => debug!(
            target: TARGET,
            policy = &*event.policy,
            kind = event.kind.as_str(),
            from,
            to,
            "limit changed"
        ),
        EventKind::OverloadChanged { overloaded, signal, measured, limit } => {
            tell_overload(event, *overloaded, *signal, *measured, *limit);
        }
        EventKind::DrainChanged { phase, in_flight } => info!(
            target: TARGET,
            policy = &*event.policy,
            kind = event.kind.as_str(),
            phase = phase.as_str(),
            in_flight,
            "drain"
        ),
        EventKind::Endpoint(change) => tell_endpoint(event, change),
        EventKind::HealthChanged { from, to, message } => {
            tell_health(event, *from, *to, message.as_deref());
        }
        EventKind::Stopped { why } => warn!(
            target: TARGET,
            policy = &*event.policy,
            kind = event.kind.as_str(),
            why,
            "stopped"
        ),
        EventKind::Released => info!(
            target: TARGET,
            policy = &*event.policy,
            kind = event.kind.as_str(),
            "goes on"
        ),
        EventKind::ConfigChanged => info!(
            target: TARGET,
            policy = &*event.policy,
            kind = event.kind.as_str(),
            "new settings"
        ),
        // A warning, so that it is not left out where little is logged: people did it.
        EventKind::Audit(audit) => warn!(
            target: TARGET,
            policy = &*event.policy,
            kind = event.kind.as_str(),
            by = audit.by(),
            action = audit.action(),
            why = audit.why(),
            "audit"
        ),
    }
}

fn tell_change(event: &Event, change: &Transition) {
    // The two levels are two places in the program for `tracing`, so the fields stand twice.
    macro_rules! tell {
        ($level:ident) => {
            $level!(
                target: TARGET,
                policy = &*event.policy,
                kind = event.kind.as_str(),
                state = change.to.as_str(),
                from = change.from.as_str(),
                to = change.to.as_str(),
                retry_after_ms = millis(change.retry_in),
                rule = change.evidence.cause.map(Cause::as_str),
                limit = change.evidence.cause.map(|_| change.evidence.limit),
                failure_ratio = measured(&change.evidence),
                slow = slow(&change.evidence),
                calls = calls(&change.evidence),
                last_failure = change.evidence.last_failure.map(|kind| kind.as_str()),
                "state changed"
            )
        };
    }
    match change.to {
        State::Open | State::Isolated => tell!(warn),
        _ => tell!(info),
    }
}

fn tell_health(event: &Event, from: Level, to: Level, detail: Option<&str>) {
    macro_rules! tell {
        ($level:ident) => {
            $level!(
                target: TARGET,
                policy = &*event.policy,
                kind = event.kind.as_str(),
                from = from.as_str(),
                to = to.as_str(),
                detail,
                "health changed"
            )
        };
    }
    if to >= Level::Degraded { tell!(warn) } else { tell!(info) }
}

fn tell_overload(event: &Event, overloaded: bool, signal: Overload, measured: f64, limit: f64) {
    macro_rules! tell {
        ($level:ident, $message:literal) => {
            $level!(
                target: TARGET,
                policy = &*event.policy,
                kind = event.kind.as_str(),
                signal = signal.as_str(),
                measured,
                limit,
                $message
            )
        };
    }
    if overloaded { tell!(warn, "overloaded") } else { tell!(info, "no longer overloaded") }
}

fn tell_rejection(event: &Event, rejection: &Rejection, enforced: bool) {
    let evidence = match rejection.reason() {
        Reason::Breaker(evidence) => Some(evidence),
        _ => None,
    };
    let evidence = evidence.as_ref();
    debug!(
        target: TARGET,
        policy = &*event.policy,
        kind = event.kind.as_str(),
        state = evidence.map(|evidence| evidence.state.as_str()),
        reason = rejection.reason().as_str(),
        enforced,
        retry_after_ms = millis(rejection.retry_after()),
        rule = evidence.and_then(|evidence| evidence.cause).map(Cause::as_str),
        limit = evidence.filter(|evidence| evidence.cause.is_some()).map(|evidence| evidence.limit),
        failure_ratio = evidence.and_then(measured),
        slow = evidence.and_then(slow),
        calls = evidence.and_then(calls),
        last_failure = evidence.and_then(|evidence| evidence.last_failure).map(FailureKind::as_str),
        // What the others measured is in their words.
        detail = evidence.is_none().then(|| tracing::field::display(rejection.reason())),
        "{}",
        if enforced { "call refused" } else { "call would be refused" }
    );
}

/// An endpoint that gets no calls for a while, or gets them again.
fn tell_endpoint(event: &Event, change: &Change) {
    let (cause, time, enforced) = match change.what {
        What::Ejected { cause, time, enforced } => (Some(cause), Some(time), enforced),
        What::Returned { enforced } => (None, None, enforced),
    };
    // As above: the two levels are two places.
    macro_rules! tell {
        ($level:ident) => {
            $level!(
                target: TARGET,
                policy = &*event.policy,
                kind = event.kind.as_str(),
                endpoint = &*change.endpoint,
                enforced,
                cause = cause.map(|cause| cause.as_str()),
                ejected_for_ms = millis(time),
                "{change}"
            )
        };
    }
    match change.what {
        What::Ejected { enforced: true, .. } => tell!(warn),
        _ => tell!(info),
    }
}

/// The attempts of a call, inside its span.
fn tell_attempt(event: &Event) {
    let (attempt, after, wait) = match event.what {
        EventKind::Retry { attempt, after, wait } => (Some(attempt), Some(after), Some(wait)),
        EventKind::Hedge { attempt } => (Some(attempt), None, None),
        _ => (None, None, None),
    };
    let ended = match &event.what {
        EventKind::Retried(retried) => Some(retried),
        _ => None,
    };
    debug!(
        target: TARGET,
        policy = &*event.policy,
        kind = event.kind.as_str(),
        attempt,
        attempts = ended.map(|ended| ended.attempts),
        failure = after.map(FailureKind::as_str),
        failures = ended.map(|ended| tracing::field::display(ended.failures)),
        stopped = ended.and_then(|ended| ended.stopped).map(Stop::as_str),
        wait_ms = millis(wait),
        "{}",
        event.what.as_str()
    );
}

/// The ratio that opened the breaker, unless it was opened by hand.
pub(crate) fn measured(evidence: &BreakerEvidence) -> Option<f64> {
    (evidence.calls > 0).then(|| evidence.failure_ratio())
}

/// Calls in the window that opened it.
pub(crate) fn calls(evidence: &BreakerEvidence) -> Option<u32> {
    (evidence.calls > 0).then_some(evidence.calls)
}

/// Those that were slow, if there was a rule for them.
pub(crate) fn slow(evidence: &BreakerEvidence) -> Option<u32> {
    (evidence.slow > 0).then_some(evidence.slow)
}

/// Rounded up, so that who comes back then does not come too early.
pub(crate) fn millis(time: Option<Duration>) -> Option<u64> {
    time.map(|time| u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
}
