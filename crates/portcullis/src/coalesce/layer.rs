//! Coalescing in a tower stack.

use tower_layer::Layer;

use super::{Coalesce, CoalesceService};
use crate::{Boxed, keyed::KeyOf, protocol::layer::protocol_shorthands};

/// Lets calls of the same key share the answer of one, by a [`Coalesce`].
///
/// The protocol is [`Boxed`] unless another is chosen. Calls have no key, and share nothing, until
/// [`by`](Self::by) says what it is. All services made by it, and by its clones, share their calls.
#[derive(Clone, Debug)]
pub struct CoalesceLayer<K = Keyless, P = Boxed> {
    coalesce: Coalesce,
    by: K,
    protocol: P,
}

/// No request has a key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keyless;

impl<Req> KeyOf<Req> for Keyless {
    type Key = str;

    fn with_key<R>(&self, _: &Req, then: impl FnOnce(Option<&str>) -> R) -> R {
        then(None)
    }
}

impl CoalesceLayer {
    /// A layer of this policy.
    pub fn new(coalesce: Coalesce) -> Self {
        Self { coalesce, by: Keyless, protocol: Boxed::default() }
    }
}

impl<K, P> CoalesceLayer<K, P> {
    /// Finds the key of a request: a function to an `Option` of it, one of
    /// [`keyed::by`](crate::keyed::by), or, for HTTP, `ByRequest`. Requests without a key go by themselves.
    ///
    /// Everything that the answer depends on must be in the key.
    ///
    /// ```
    /// use portcullis::{Coalesce, CoalesceLayer};
    ///
    /// struct Search { text: String, user: Option<u64> }
    ///
    /// let layer = CoalesceLayer::new(Coalesce::new("search"))
    ///     .by(|search: &Search| search.user.is_none().then(|| search.text.clone()));
    /// # let _ = layer;
    /// # let _ = Search { text: String::new(), user: None }.text;
    /// ```
    pub fn by<L>(self, by: L) -> CoalesceLayer<L, P> {
        CoalesceLayer { coalesce: self.coalesce, by, protocol: self.protocol }
    }
}

protocol_shorthands!(CoalesceLayer<K>, coalesce, by);

impl<S, K: Clone, P: Clone> Layer<S> for CoalesceLayer<K, P> {
    type Service = CoalesceService<S, P, K>;

    fn layer(&self, inner: S) -> Self::Service {
        CoalesceService::new(inner, self.coalesce.clone(), self.protocol.clone(), self.by.clone())
    }
}

crate::registry::member!([K, P] CoalesceLayer<K, P>, coalesce);
