//! The spans of calls and attempts, through `tracing`; nothing at all without that feature.

use crate::protocol::Attempt;

/// What a span begins with.
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "without spans nobody wants to know"))]
pub(super) struct About<'a> {
    pub(super) attempt: Attempt,
    /// What is asked for, where requests tell.
    pub(super) request: &'a str,
}

impl Default for About<'_> {
    fn default() -> Self {
        Self { attempt: Attempt::FIRST, request: "" }
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) use absent::Trace;
#[cfg(feature = "tracing")]
pub(super) use present::Trace;

#[cfg(feature = "tracing")]
mod present {
    use std::time::Duration;

    use portcullis_core::{
        BreakerEvidence, FailureKind, GrpcCode, Name, Reason, Rejection, Verdict, breaker::Cause,
    };
    use tracing::{
        Level, Span,
        field::{Empty, display},
        info_span,
        level_filters::{LevelFilter, STATIC_MAX_LEVEL},
    };

    use super::{
        super::{Outcome, policy::Scope},
        About,
    };
    use crate::trace::{TARGET, calls, measured, millis, slow};

    /// The span of a call or an attempt, if anybody wants it.
    pub(in super::super) struct Trace(Option<Span>);

    impl Trace {
        /// Whether any subscriber could want spans: all that a call asks while none does.
        #[inline(always)]
        pub(in super::super) fn is_wanted() -> bool {
            Level::INFO <= STATIC_MAX_LEVEL && Level::INFO <= LevelFilter::current()
        }

        pub(in super::super) fn begin(name: &Name, scope: Scope, about: &About<'_>) -> Self {
            if !Self::is_wanted() {
                return Self(None);
            }
            let span = match scope {
                Scope::Call => call(name, about),
                Scope::Attempt => attempt(name, about),
            };
            Self((!span.is_disabled()).then_some(span))
        }

        /// The span is the current one until that is dropped.
        pub(in super::super) fn enter(&self) -> Option<tracing::span::Entered<'_>> {
            self.0.as_ref().map(Span::enter)
        }

        pub(in super::super) fn ended(&self, outcome: Outcome, verdict: Verdict) {
            let Some(span) = &self.0 else { return };
            span.record("outcome", outcome.as_str());
            if let Verdict::Failure(failure) = verdict {
                span.record("failure", failure.kind.as_str());
            }
            // By this word exporters to OpenTelemetry know what failed.
            if matches!(outcome, Outcome::Failure | Outcome::Rejected) {
                span.record("otel.status_code", "ERROR");
            }
        }

        /// What the head of the answer says.
        pub(in super::super) fn answered(&self, status: Option<u16>, grpc: Option<GrpcCode>) {
            if let Some(span) = &self.0 {
                span.record("status", status).record("grpc_status", grpc.map(GrpcCode::as_str));
            }
        }

        pub(in super::super) fn took(&self, took: Duration) {
            if let Some(span) = &self.0 {
                span.record("duration_ms", took.as_secs_f64() * 1e3);
            }
        }

        /// The decision record, in the words of the events.
        pub(in super::super) fn refused(&self, rejection: &Rejection) {
            let Some(span) = &self.0 else { return };
            let reason = rejection.reason();
            span.record("refused_by", &**rejection.policy())
                .record("refused_kind", reason.kind().as_str())
                .record("reason", reason.as_str())
                .record("retry_after_ms", millis(rejection.retry_after()));
            match reason {
                Reason::Breaker(evidence) => by_breaker(span, &evidence),
                // What the others measured is in their words.
                reason => {
                    span.record("detail", display(reason));
                }
            }
        }
    }

    /// A span with fields of its own, and those that both kinds have: a span has those that it began with.
    macro_rules! span {
        ($kind:literal, $about:ident, $($own:tt)*) => {
            info_span!(
                target: TARGET,
                $kind,
                $($own)*
                request = given($about.request),
                outcome = Empty,
                failure = Empty,
                status = Empty,
                grpc_status = Empty,
                duration_ms = Empty,
                refused_by = Empty,
                refused_kind = Empty,
                reason = Empty,
                state = Empty,
                rule = Empty,
                limit = Empty,
                failure_ratio = Empty,
                slow = Empty,
                calls = Empty,
                last_failure = Empty,
                retry_after_ms = Empty,
                detail = Empty,
                otel.status_code = Empty,
            )
        };
    }

    fn call(name: &Name, about: &About<'_>) -> Span {
        span!("call", about, policy = &**name,)
    }

    fn attempt(name: &Name, about: &About<'_>) -> Span {
        let attempt = about.attempt;
        span!(
            "attempt",
            about,
            policy = &**name,
            attempt = attempt.number(),
            after = attempt.after().map(FailureKind::as_str),
            hedge = attempt.is_hedge().then_some(true),
        )
    }

    fn given(request: &str) -> Option<&str> {
        (!request.is_empty()).then_some(request)
    }

    fn by_breaker(span: &Span, evidence: &BreakerEvidence) {
        span.record("state", evidence.state.as_str())
            .record("rule", evidence.cause.map(Cause::as_str))
            .record("limit", evidence.cause.map(|_| evidence.limit))
            .record("failure_ratio", measured(evidence))
            .record("slow", slow(evidence))
            .record("calls", calls(evidence))
            .record("last_failure", evidence.last_failure.map(FailureKind::as_str));
    }
}

#[cfg(not(feature = "tracing"))]
mod absent {
    use std::time::Duration;

    use portcullis_core::{GrpcCode, Name, Rejection, Verdict};

    use super::{
        super::{Outcome, policy::Scope},
        About,
    };

    /// No span.
    pub(in super::super) struct Trace(());

    impl Trace {
        #[inline(always)]
        pub(in super::super) const fn is_wanted() -> bool {
            false
        }

        pub(in super::super) const fn begin(_: &Name, _: Scope, _: &About<'_>) -> Self {
            Self(())
        }

        pub(in super::super) const fn enter(&self) {}

        pub(in super::super) const fn ended(&self, _: Outcome, _: Verdict) {}

        pub(in super::super) const fn answered(&self, _: Option<u16>, _: Option<GrpcCode>) {}

        pub(in super::super) const fn took(&self, _: Duration) {}

        pub(in super::super) const fn refused(&self, _: &Rejection) {}
    }
}
