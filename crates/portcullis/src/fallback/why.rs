//! Why something else is answered.

use portcullis_core::{Failure, FailureKind, Rejection};

use crate::Protocol;

/// What became of the call that something else is answered for: it failed, it was refused below, or both, as a
/// timeout is.
///
/// ```
/// use portcullis::{Breaker, fallback::Why};
///
/// let breaker = Breaker::new("inventory");
/// breaker.isolate();
/// let why = Why::from(breaker.try_admit().unwrap_err());
/// assert!(why.failure().is_none());
/// assert_eq!(why.to_string(), "refused: breaker 'inventory' is isolated");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    failure: Option<Failure>,
    rejection: Option<Rejection>,
}

impl Why {
    /// How it failed, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// The kind of its failure, if it failed.
    pub fn kind(&self) -> Option<FailureKind> {
        self.failure.as_ref().map(|failure| failure.kind)
    }

    /// The refusal by a policy below, if that is why.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.rejection.as_ref()
    }

    /// One word for it, as it stands in metrics: the kind of failure, or `"refused"`.
    pub fn as_str(&self) -> &'static str {
        self.kind().map_or("refused", FailureKind::as_str)
    }

    /// What became of a call, if that is neither a success nor unknown.
    pub(super) fn of<P, Req, Res, Err>(
        protocol: &P,
        context: &P::Context,
        result: &Result<Res, P::Error>,
    ) -> Option<Self>
    where
        P: Protocol<Req, Res, Err>,
    {
        let (verdict, rejection) = match result {
            Ok(response) => (protocol.judge(context, response), protocol.refusal_in(response)),
            Err(error) => (Some(protocol.judge_error(error)), protocol.refusal_in_error(error)),
        };
        Self::new(verdict.and_then(|verdict| verdict.failure().cloned()), rejection.cloned())
    }

    /// `None` where it was neither.
    pub(super) fn new(failure: Option<Failure>, rejection: Option<Rejection>) -> Option<Self> {
        (failure.is_some() || rejection.is_some()).then_some(Self { failure, rejection })
    }
}

impl From<Rejection> for Why {
    fn from(rejection: Rejection) -> Self {
        Self { failure: rejection.verdict().failure().cloned(), rejection: Some(rejection) }
    }
}

impl From<Failure> for Why {
    fn from(failure: Failure) -> Self {
        Self { failure: Some(failure), rejection: None }
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())?;
        self.rejection.as_ref().map_or(Ok(()), |rejection| write!(f, ": {rejection}"))
    }
}
