//! Which attempt of its call a request is.

/// In a request's extensions: which attempt of its call it is, counted from 1. A retry puts it into every
/// attempt after the first, so that the layers below can tell them apart.
///
/// ```
/// use portcullis::protocol::Attempt;
///
/// let mut request = http::Request::new(());
/// assert_eq!(Attempt::of(&request), Attempt::FIRST);
/// request.extensions_mut().insert(Attempt(2));
/// assert!(Attempt::of(&request).is_retry());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u32);

impl Attempt {
    /// The first.
    pub const FIRST: Self = Self(1);

    /// Which attempt a request says it is; the first, when it says nothing.
    #[cfg(feature = "http")]
    pub fn of<B>(request: &::http::Request<B>) -> Self {
        request.extensions().get().copied().unwrap_or(Self::FIRST)
    }

    /// Whether another came before it.
    pub const fn is_retry(self) -> bool {
        self.0 > 1
    }
}
