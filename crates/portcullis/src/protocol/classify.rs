//! The user's own judgement.

use portcullis_core::Verdict;

/// A user's judgement of a result, in place of the protocol's own.
///
/// Any closure from `Result<&Res, &Err>` to a [`Verdict`] or an `Option<Verdict>` is one; with `None`
/// the protocol judges as usual. `()` leaves everything to the protocol.
pub trait Classify<Res: ?Sized, Err: ?Sized> {
    /// Judges a result, or leaves it to the protocol.
    fn classify(&self, result: Result<&Res, &Err>) -> Option<Verdict>;
}

impl<Res: ?Sized, Err: ?Sized> Classify<Res, Err> for () {
    #[inline]
    fn classify(&self, _: Result<&Res, &Err>) -> Option<Verdict> {
        None
    }
}

impl<F, V, Res: ?Sized, Err: ?Sized> Classify<Res, Err> for F
where
    F: Fn(Result<&Res, &Err>) -> V,
    V: Into<Option<Verdict>>,
{
    fn classify(&self, result: Result<&Res, &Err>) -> Option<Verdict> {
        self(result).into()
    }
}
