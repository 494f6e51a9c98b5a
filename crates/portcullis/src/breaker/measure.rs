//! A breaker in numbers.

use portcullis_core::{FailureKind, PolicyKind, breaker::State};

use super::policy::Shared;
use crate::{
    clock,
    metrics::{
        Measures,
        names::{
            BREAKER_FAILURE_RATIO, BREAKER_SLOW_RATIO, BREAKER_STATE, BREAKER_TRANSITIONS, CALLS, FAILURES,
            REJECTIONS, breaker_state_number,
        },
    },
};

/// What [`Policy::measure`](crate::registry::Policy::measure) tells of a breaker.
pub(super) fn measure(breaker: &Shared, into: &mut dyn Measures) {
    let kind = PolicyKind::Breaker.as_str();
    let status = breaker.machine.status(clock::now());
    for (outcome, total) in [
        ("success", status.successes),
        ("failure", status.failures),
        ("ignored", status.ignored),
        ("rejected", status.refused),
        ("abandoned", status.abandoned),
    ] {
        into.counter(&CALLS, &[kind, outcome], total);
    }
    for state in [State::Open, State::HalfOpen, State::Recovering, State::Isolated] {
        into.counter(&REJECTIONS, &[kind, state.as_str(), "enforced"], status.refused_in(state));
        into.counter(&REJECTIONS, &[kind, state.as_str(), "shadow"], status.bypassed_in(state));
    }
    for failure in FailureKind::ALL {
        into.counter(&FAILURES, &[failure.as_str()], status.failures_of(failure));
    }
    for (from, to, times) in breaker.surroundings.emitter.transitions() {
        into.counter(&BREAKER_TRANSITIONS, &[from.as_str(), to.as_str()], times);
    }
    into.gauge(&BREAKER_STATE, &[], breaker_state_number(status.state).into());
    into.gauge(&BREAKER_FAILURE_RATIO, &[], status.failure_ratio());
    into.gauge(&BREAKER_SLOW_RATIO, &[], status.slow_ratio());
}
