//! What the laws are spoken in, besides the testkit's own plain and HTTP exchanges.

mod rpc;
mod shop;

pub(crate) use rpc::Rpc;
pub(crate) use shop::{Shop, ShopError};

use portcullis_testkit::laws::Marked;
use tower::BoxError;

/// The mark of an error that a host has boxed.
fn unmark(error: &BoxError) -> Marked {
    Marked::find(&**error).unwrap_or(Marked(u64::MAX))
}
