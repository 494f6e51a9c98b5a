//! Which attempt of its call a request is.

use portcullis_core::FailureKind;

/// In a request's extensions: which attempt of its call it is. A retry and a hedge put it into every attempt
/// after the first, so that the layers below can tell them apart.
///
/// ```
/// use portcullis::{FailureKind, protocol::Attempt};
///
/// let mut request = http::Request::new(());
/// assert_eq!(Attempt::of(&request), Attempt::FIRST);
/// request.extensions_mut().insert(Attempt::retry(2, FailureKind::Timeout));
///
/// let attempt = Attempt::of(&request);
/// assert!(attempt.is_retry() && !attempt.is_hedge());
/// assert_eq!((attempt.number(), attempt.after()), (2, Some(FailureKind::Timeout)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    number: u32,
    after: Option<FailureKind>,
    hedge: bool,
}

impl Attempt {
    /// The first.
    pub const FIRST: Self = Self { number: 1, after: None, hedge: false };

    /// The attempt of this number, counted from 1, made because the one before it failed.
    pub const fn retry(number: u32, after: FailureKind) -> Self {
        Self { number, after: Some(after), hedge: false }
    }

    /// The attempt of this number, counted from 1, made because those before it took long.
    pub const fn hedge(number: u32) -> Self {
        Self { number, after: None, hedge: true }
    }

    /// Which attempt a request says it is; the first, when it says nothing.
    #[cfg(feature = "http")]
    pub fn of<B>(request: &::http::Request<B>) -> Self {
        request.extensions().get().copied().unwrap_or(Self::FIRST)
    }

    /// Its number, counted from 1.
    pub const fn number(self) -> u32 {
        self.number
    }

    /// The failure that it was made for.
    pub const fn after(self) -> Option<FailureKind> {
        self.after
    }

    /// Whether another came before it, by a retry or a hedge.
    pub const fn is_retry(self) -> bool {
        self.number > 1
    }

    /// Whether others of its call may run at the same time.
    pub const fn is_hedge(self) -> bool {
        self.hedge
    }
}
