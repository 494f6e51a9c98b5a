//! What a response tells about the limit.

use super::RateLimit;

/// What a layer adds to the responses, if anything.
pub trait Tell {
    /// What is kept of the limit until the response is there.
    type Kept;

    /// Keeps it.
    fn keep(&self, limit: &RateLimit) -> Self::Kept;
}

/// What was kept, for responses of this type.
pub trait Told<Res> {
    /// Adds it.
    fn tell(&self, response: &mut Res);
}

/// Nothing is added.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Tell for Silent {
    type Kept = ();

    #[inline(always)]
    fn keep(&self, _: &RateLimit) {}
}

impl<Res> Told<Res> for () {
    #[inline(always)]
    fn tell(&self, _: &mut Res) {}
}
