//! Why a call is answered with something stale.

use portcullis_core::{FailureKind, Verdict, cache::Config};

use crate::Protocol;

/// What became of a call that has failed: it failed, it was refused below, or both, as a timeout is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Why {
    kind: Option<FailureKind>,
    refused: bool,
}

impl Why {
    /// `None` where it was neither.
    pub(super) fn new(verdict: Option<&Verdict>, refused: bool) -> Option<Self> {
        let kind = verdict.and_then(|verdict| verdict.failure()).map(|failure| failure.kind);
        (kind.is_some() || refused).then_some(Self { kind, refused })
    }

    /// What became of a call, if that is neither a success nor unknown.
    pub(super) fn of<P, Req, Res, Err>(
        protocol: &P,
        context: &P::Context,
        result: Result<&Res, &P::Error>,
    ) -> Option<Self>
    where
        P: Protocol<Req, Res, Err>,
    {
        match result {
            Ok(response) => {
                let verdict = protocol.judge(context, response);
                Self::new(verdict.as_ref(), protocol.refusal_in(response).is_some())
            }
            Err(error) => {
                Self::new(Some(&protocol.judge_error(error)), protocol.refusal_in_error(error).is_some())
            }
        }
    }

    /// Whether something stale is served instead. A timeout is a failure of its kind, and no refusal.
    pub(super) fn is_covered(self, config: &Config) -> bool {
        match self.kind {
            Some(kind) => config.covers_kind(kind),
            None => self.refused && config.stale_on_refusal,
        }
    }
}
