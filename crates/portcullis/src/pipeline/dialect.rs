//! What a protocol means to each layer of a pipeline.

use crate::{Boxed, Typed, deadline::Nothing, replay::CloneReplay};
#[cfg(feature = "http")]
use crate::{Grpc, HttpClient, HttpServer, deadline::Headers, replay::HttpReplay};

/// A [protocol](crate::protocol) that a pipeline can speak: how its layers keep requests, and how they tell deadlines.
///
/// A protocol of one's own says here what its retries and deadlines shall do.
#[diagnostic::on_unimplemented(
    message = "a pipeline does not know what `{Self}` means to retries and deadlines",
    note = "the protocols of this library are `Boxed`, `Typed`, `HttpClient`, `HttpServer` and `Grpc`; for one of your own \
            implement `portcullis::pipeline::Dialect`"
)]
pub trait Dialect: Clone {
    /// How retries, hedges and fallbacks keep a request.
    type Replay: Clone + 'static;
    /// How a deadline is told and read.
    type Carry: Clone;

    /// How retries, hedges and fallbacks keep a request.
    fn replay(&self) -> Self::Replay;

    /// How a deadline is told and read.
    fn carry(&self) -> Self::Carry;
}

/// A protocol that a layer keeps in a pipeline that speaks another: every one but [`Boxed`], which is what layers speak that
/// were told none.
pub trait Told {}

impl<C> Told for Typed<C> {}
#[cfg(feature = "http")]
impl<C> Told for HttpClient<C> {}
#[cfg(feature = "http")]
impl<C> Told for HttpServer<C> {}
#[cfg(feature = "http")]
impl<C> Told for Grpc<C> {}

macro_rules! dialect {
    ($Protocol:ident, $Replay:ty = $replay:expr, $Carry:ty = $carry:expr) => {
        impl<C: Clone> Dialect for $Protocol<C> {
            type Replay = $Replay;
            type Carry = $Carry;

            fn replay(&self) -> $Replay {
                $replay
            }

            fn carry(&self) -> $Carry {
                $carry
            }
        }
    };
}

dialect!(Boxed, CloneReplay = CloneReplay, Nothing = Nothing);
dialect!(Typed, CloneReplay = CloneReplay, Nothing = Nothing);
#[cfg(feature = "http")]
dialect!(HttpClient, HttpReplay = HttpReplay::default(), Headers = Headers::outbound());
#[cfg(feature = "http")]
dialect!(HttpServer, HttpReplay = HttpReplay::default(), Headers = Headers::inbound());
#[cfg(feature = "http")]
dialect!(Grpc, HttpReplay = HttpReplay::default(), Headers = Headers::outbound());
