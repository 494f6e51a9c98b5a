//! Sending a request more than once: how retries and hedges keep it, and whether that is safe.
//!
//! A [`Replay`] keeps what is needed of a request; [`CloneReplay`] clones it, and `HttpReplay` keeps the body of
//! an HTTP request while it is sent, up to a cap. An [`Idempotency`] says which requests may be processed twice.
//! The layers come with what fits their protocol; who sends requests of a kind of their own implements
//! [`Replay`].
//!
//! ```
//! use portcullis::{RetryLayer, RetryPolicy, replay::Replay};
//!
//! /// A request that cannot be cloned as it is.
//! struct Order { id: u64, items: Vec<String> }
//!
//! #[derive(Clone)]
//! struct KeepOrder;
//!
//! impl Replay<Order> for KeepOrder {
//!     type Request = Order;
//!     type Kept = (u64, Vec<String>);
//!
//!     fn is_idempotent(&self, _: &Order) -> bool {
//!         true // the dependency knows an order by its id
//!     }
//!
//!     fn first(&self, order: Order) -> (Order, Self::Kept) {
//!         let kept = (order.id, order.items.clone());
//!         (order, kept)
//!     }
//!
//!     fn again(&self, (id, items): &Self::Kept) -> Option<Order> {
//!         Some(Order { id: *id, items: items.clone() })
//!     }
//! }
//!
//! let layer = RetryLayer::new(RetryPolicy::new("orders")).replay(KeepOrder);
//! # let _ = (layer, KeepOrder.first(Order { id: 1, items: Vec::new() }));
//! ```

#[cfg(feature = "http")]
mod body;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http")]
mod tape;
#[cfg(feature = "http")]
mod waiting;

#[cfg(feature = "http")]
pub use body::ReplayBody;
#[cfg(feature = "http")]
pub use http::{DEFAULT_MAX_BUFFERED, HttpReplay, Idempotent, Rebody};

use crate::protocol::Attempt;

/// How a request is kept, so that it can be sent again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot send requests `{Req}` a second time",
    note = "the default needs a request that is `Clone`; for `http::Request` choose `.http_client()`, \
            `.http_server()` or `.grpc()`, which buffer the body up to a cap"
)]
pub trait Replay<Req> {
    /// What the inner service gets.
    type Request;
    /// What is kept until the call is over.
    type Kept;

    /// Whether the request itself says that it may be processed twice.
    fn is_idempotent(&self, request: &Req) -> bool;

    /// The request of the first attempt, and what is kept of it.
    fn first(&self, request: Req) -> (Self::Request, Self::Kept);

    /// A request that is sent once: nothing is kept.
    fn once(&self, request: Req) -> Self::Request {
        self.first(request).0
    }

    /// The request of a further attempt; `None` when it cannot be had again.
    fn again(&self, kept: &Self::Kept) -> Option<Self::Request>;

    /// The request of a further attempt while others still run, from whom it may take nothing; `None` when it
    /// cannot be had again.
    fn beside(&self, kept: &Self::Kept) -> Option<Self::Request> {
        self.again(kept)
    }

    /// Lets a further attempt's request tell which it is, besides what its protocol does.
    fn mark(&self, request: &mut Self::Request, attempt: Attempt) {
        let _ = (request, attempt);
    }
}

/// Clones requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloneReplay;

#[diagnostic::do_not_recommend]
impl<Req: Clone> Replay<Req> for CloneReplay {
    type Request = Req;
    type Kept = Req;

    fn is_idempotent(&self, _: &Req) -> bool {
        false
    }

    #[inline]
    fn once(&self, request: Req) -> Req {
        request
    }

    #[inline]
    fn first(&self, request: Req) -> (Req, Req) {
        (request.clone(), request)
    }

    fn again(&self, kept: &Req) -> Option<Req> {
        Some(kept.clone())
    }
}

/// Whether a request may be processed twice: [`Never`], [`Always`], or a closure from `&Req` to `bool`.
pub trait Idempotency<Req> {
    /// Whether this one may.
    fn is_idempotent(&self, request: &Req) -> bool;
}

/// No request is idempotent, unless it says so itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Never;

/// Every request is idempotent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Always;

impl<Req> Idempotency<Req> for Never {
    #[inline]
    fn is_idempotent(&self, _: &Req) -> bool {
        false
    }
}

impl<Req> Idempotency<Req> for Always {
    #[inline]
    fn is_idempotent(&self, _: &Req) -> bool {
        true
    }
}

impl<Req, F: Fn(&Req) -> bool> Idempotency<Req> for F {
    #[inline]
    fn is_idempotent(&self, request: &Req) -> bool {
        self(request)
    }
}
