//! Common keys of requests.
//!
//! | by | for example | |
//! |---|---|---|
#![cfg_attr(
    feature = "http",
    doc = "| [`host`] | `api.example.com:8080` | clients of many hosts, servers of many names |"
)]
#![cfg_attr(feature = "http", doc = "| [`path`] | `/echo.Echo/Say` | the method of a gRPC call |")]
#![cfg_attr(
    feature = "http",
    doc = "| [`path_prefix`] | `/api/orders` of `/api/orders/17?x=1` | routes, without a router |"
)]
#![cfg_attr(feature = "http", doc = "| [`header`] | `acme` of `x-tenant: acme` | tenants |")]
#![cfg_attr(
    feature = "http",
    doc = "| [`extension`] | `/orders/{id}` of axum's `MatchedPath` | whatever a layer before has found out |"
)]
//! | [`text`] | | any text in a request of one's own |
//!
//! A key of another type is found by a function of one's own that returns it.
//!
//! Whoever sends a request chooses these, but for the last two: that is what the bounds of a keyed policy
//! are for. Texts that must not be told from each other, such as the names of one host, are to be made equal
//! by who makes the key; `host` does so with capital letters, and nothing else.

#[cfg(feature = "http")]
mod http;

#[cfg(feature = "http")]
pub use self::http::{Extension, Header, Host, Path, PathPrefix, extension, header, host, path, path_prefix};

use std::fmt;

use super::KeyOf;

/// By a text that the request holds.
///
/// ```
/// use portcullis::keyed::{KeyOf, by};
///
/// struct Order { region: String }
///
/// let by_region = by::text(|order: &Order| Some(&order.region));
/// let order = Order { region: "north".to_owned() };
/// assert!(by_region.with_key(&order, |region| region == Some("north")));
/// ```
pub fn text<F, Req, T>(of: F) -> Text<F>
where
    F: Fn(&Req) -> Option<&T>,
    T: AsRef<str> + ?Sized,
{
    Text(of)
}

/// See [`text`].
#[derive(Clone, Copy)]
pub struct Text<F>(F);

impl<F, Req, T> KeyOf<Req> for Text<F>
where
    F: Fn(&Req) -> Option<&T>,
    T: AsRef<str> + ?Sized,
{
    type Key = str;

    #[inline]
    fn with_key<R>(&self, request: &Req, then: impl FnOnce(Option<&str>) -> R) -> R {
        then((self.0)(request).map(AsRef::as_ref))
    }
}

impl<F> fmt::Debug for Text<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Text").finish_non_exhaustive()
    }
}
