//! What a cache asks of a protocol.

use crate::{
    Protocol,
    share::{Share, ShareError},
};

/// A [`Protocol`] by which answers can be kept as a `V`: one that is [`Share`], whose errors are [`ShareError`], and
/// that a task can have. There is nothing to implement.
pub trait CacheProtocol<Req, Res, Err, V>:
    Protocol<Req, Res, Err, Context: Send, Error: Send>
    + Share<Res, Shared = V, Response: Send, Collecting: Send>
    + ShareError<<Self as Protocol<Req, Res, Err>>::Error, Shared = Self::SharedError>
    + Clone
    + Send
    + 'static
{
    /// An error that several have.
    type SharedError: Clone + Send + Sync + 'static;
}

impl<P, Req, Res, Err, V> CacheProtocol<Req, Res, Err, V> for P
where
    P: Protocol<Req, Res, Err, Context: Send, Error: Send>
        + Share<Res, Shared = V, Response: Send, Collecting: Send>
        + ShareError<<Self as Protocol<Req, Res, Err>>::Error>
        + Clone
        + Send
        + 'static,
{
    type SharedError = <P as ShareError<<P as Protocol<Req, Res, Err>>::Error>>::Shared;
}
