//! What may be kept of what is answered.

use std::time::Duration;

/// What a cache is to do for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ask {
    /// Looks for an answer that is kept.
    Look,
    /// Calls, and keeps the answer in the place of what is kept.
    Reload,
    /// Calls, as if there were no cache.
    Pass,
}

/// What may be done with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keep {
    /// It is kept for others, and given to those who wait for it.
    Yes(Lasts),
    /// It is kept, but who waits for it looks whether it is for him.
    Choosy(Lasts),
    /// It is not kept, but given to those who wait for it.
    Shared,
    /// It is for one caller alone.
    Alone,
}

/// For how long something is kept; what is not said is as in the cache's [`Config`](super::Config).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lasts {
    /// How long it is fresh. Zero: it is not kept, unless it may be served stale.
    pub ttl: Option<Duration>,
    /// How long after that it is served while another is fetched.
    pub while_revalidate: Option<Duration>,
    /// How long after that it is served when that fails.
    pub if_error: Option<Duration>,
    /// How old it is by now.
    pub age: Duration,
    /// Whether it says that there is nothing: then it is kept only where the configuration says for how long.
    pub negative: bool,
}

/// What may be kept of what is answered to a request, and for whom it is.
///
/// [`Plain`] keeps every success. For HTTP there is `HttpRules`.
pub trait Rules<Req, Res, V> {
    /// What is taken of a request that is answered by a call.
    type Asked: Send + 'static;

    /// What is to be done for a request that has a key.
    fn ask(&self, request: &Req) -> Ask;

    /// Whether something that is kept, and that is so old, answers this request; or something that another's call
    /// has come to, for which this request has waited.
    fn fits(&self, request: &Req, kept: &V, age: Duration) -> bool;

    /// Takes what will be needed of a request.
    fn asked(&self, request: &Req) -> Self::Asked;

    /// What may be done with a response, which is `failed` where the protocol says so.
    fn keep(&self, asked: &Self::Asked, response: &Res, failed: bool) -> Keep;

    /// A response that was read, as it is kept; `None`, if it is not to be.
    fn seal(&self, asked: &Self::Asked, read: &V) -> Option<V>;

    /// What a caller gets of what was kept, and is so old.
    fn serve(&self, kept: V, age: Duration) -> V;
}

/// Every success is kept; a response that the protocol judges a failure is one that says that there is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Plain;

impl<Req, Res, V: Clone> Rules<Req, Res, V> for Plain {
    type Asked = ();

    #[inline]
    fn ask(&self, _: &Req) -> Ask {
        Ask::Look
    }

    #[inline]
    fn fits(&self, _: &Req, _: &V, _: Duration) -> bool {
        true
    }

    fn asked(&self, _: &Req) {}

    fn keep(&self, (): &(), _: &Res, failed: bool) -> Keep {
        Keep::Yes(Lasts { negative: failed, ..Lasts::default() })
    }

    fn seal(&self, (): &(), read: &V) -> Option<V> {
        Some(read.clone())
    }

    #[inline]
    fn serve(&self, kept: V, _: Duration) -> V {
        kept
    }
}
