//! One result for many: how a response and an error are given to several callers.
//!
//! For patterns that answer several calls with what one came to. A protocol says how by [`Share`] and
//! [`ShareError`]; those of this library do, and who has a protocol of one's own implements both.
//!
//! | protocol | responses | errors |
//! |---|---|---|
//! | [`Boxed`](crate::Boxed) | are cloned | behind a reference: [`SharedError`] |
//! | [`Typed`](crate::Typed) | are cloned | are cloned |
//! | `HttpClient` | the body is read up to a cap, and shared without a copy | behind a reference |
//! | `HttpServer` | the same | are cloned |
//! | `Grpc` | the same | behind a reference |
//!
//! A [`Replay`](crate::replay::Replay) is the like for requests, which are sent several times.
//!
//! # Bodies
//!
//! A response of HTTP can be shared when its body was read to its end, with the trailers. That is as long as it takes:
//! no part of it is passed on before. A body that is longer than the cap, or that fails, is for one caller
//! alone, who gets what was read and then the rest, or the error. What says that it does not end is not read at all:
//! an upgrade, and a `text/event-stream`; nor is what says that it is for one, by `Set-Cookie`.

#[cfg(feature = "http")]
mod body;
mod cloned;
#[cfg(feature = "http")]
mod collect;
mod error;
#[cfg(feature = "http")]
mod http;

#[cfg(all(test, feature = "http"))]
mod tests;

#[cfg(feature = "http")]
pub use body::SharedBody;
#[cfg(feature = "http")]
pub use collect::Collecting;
pub use error::SharedError;
#[cfg(feature = "http")]
pub use http::SharedResponse;

use std::future::Future;

/// As much as most answers need, and little enough to keep for every call in flight.
pub const DEFAULT_MAX_BODY: usize = 1024 * 1024;

/// How responses are given to several callers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot give a response `{Res}` to several callers",
    label = "the response below the layer cannot be shared",
    note = "`Boxed` and `Typed` need a response that is `Clone + Send + Sync + 'static`; for `http::Response` choose \
            `.http_client()`, `.http_server()` or `.grpc()`, which read the body up to a cap"
)]
pub trait Share<Res> {
    /// What each caller gets.
    type Response;
    /// What is kept of a response.
    type Shared: Clone + Send + Sync + 'static;
    /// Makes a response into one that can be shared.
    type Collecting: Future<Output = Collected<Self::Response, Self::Shared>>;

    /// Reads a response, with at most this many bytes of a body. Dropping the future drops the response.
    fn collect(&self, response: Res, max_body: usize) -> Self::Collecting;

    /// A response that is for one caller, as it is.
    fn alone(&self, response: Res) -> Self::Response;

    /// A response for one of many.
    fn open(&self, shared: Self::Shared) -> Self::Response;

    /// How much memory is held by what is kept, in bytes, as far as that is known.
    fn size(shared: &Self::Shared) -> usize {
        size_of_val(shared)
    }
}

/// A response that was read, if it could be.
#[derive(Clone, Debug)]
pub enum Collected<R, S> {
    /// For as many as there are.
    Shared(S),
    /// For one caller alone.
    Only(R, Unshared),
}

/// Why a response is for one caller alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unshared {
    /// It is longer than may be kept.
    TooLarge,
    /// Its body failed.
    Failed,
    /// It says that it does not end: an upgrade, a stream of events.
    Endless,
    /// It is for who asked: it sets a cookie.
    Personal,
}

/// How errors are given to several callers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot give an error `{Err}` to several callers",
    label = "the error below the layer cannot be shared",
    note = "`Typed` and `HttpServer` need an error that is `Clone + Send + Sync + 'static`; `Boxed` and `HttpClient` \
            put any error behind a reference"
)]
pub trait ShareError<Err> {
    /// What is kept of an error.
    type Shared: Clone + Send + Sync + 'static;

    /// Keeps it.
    fn share(&self, error: Err) -> Self::Shared;

    /// An error for one of many.
    fn open(&self, shared: Self::Shared) -> Err;
}
