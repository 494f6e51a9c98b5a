//! The keyed bulkhead in a tower stack.

use std::fmt;

use tower_layer::Layer;

use super::{KeyedBulkhead, KeyedBulkheadService};
use crate::{
    Boxed,
    bulkhead::demand::{Plain, Weighed},
    protocol::layer::protocol_shorthands,
};

/// Puts a [`KeyedBulkhead`] in front of a service.
///
/// What a request is keyed by is said by a [`KeyOf`](crate::keyed::KeyOf): one of [`by`](crate::keyed::by), or a function
/// that returns the key. Requests without a key count as [one key of their own](KeyedBulkhead::keyless): leaving the key
/// out gets nobody past the bulkhead.
///
/// The protocol is [`Boxed`] unless another is chosen, and every request weighs 1. All services made by it, and by its
/// clones, share the bulkhead.
///
/// ```
/// use portcullis::{KeyedBulkhead, KeyedBulkheadLayer, keyed::by};
/// use std::time::Duration;
///
/// let tenants = KeyedBulkhead::builder("tenants")
///     .overall(200)
///     .per_key(50)
///     .queue(100, Duration::from_millis(200))
///     .build()?;
/// let layer = KeyedBulkheadLayer::new(tenants, by::header("x-tenant")).http_server();
/// # let _ = layer;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct KeyedBulkheadLayer<K, F, D = Plain, P = Boxed> {
    bulkhead: KeyedBulkhead<K>,
    key_of: F,
    demands: D,
    protocol: P,
}

impl<K, F> KeyedBulkheadLayer<K, F> {
    /// A layer of this keyed bulkhead, for requests that have the key which `key_of` finds.
    pub fn new(bulkhead: KeyedBulkhead<K>, key_of: F) -> Self {
        Self { bulkhead, key_of, demands: Plain, protocol: Boxed::default() }
    }
}

impl<K, F, D, P> KeyedBulkheadLayer<K, F, D, P> {
    /// A request takes as many permits as `weight` says, at least one and at most all that one key may hold.
    ///
    /// ```
    /// use portcullis::{KeyedBulkhead, KeyedBulkheadLayer, keyed::by};
    ///
    /// struct Batch { tenant: String, rows: Vec<u64> }
    ///
    /// let layer = KeyedBulkheadLayer::new(KeyedBulkhead::new("tenants"), by::text(|batch: &Batch| Some(&batch.tenant)))
    ///     .weigh(|batch: &Batch| batch.rows.len() as u32);
    /// # let _ = layer;
    /// ```
    pub fn weigh<Req, W: Fn(&Req) -> u32>(self, weight: W) -> KeyedBulkheadLayer<K, F, Weighed<D, W>, P> {
        let Self { bulkhead, key_of, demands: others, protocol } = self;
        KeyedBulkheadLayer { bulkhead, key_of, demands: Weighed { others, weight }, protocol }
    }
}

protocol_shorthands!(KeyedBulkheadLayer<K, F, D>, bulkhead, key_of, demands);

impl<S, K, F: Clone, D: Clone, P: Clone> Layer<S> for KeyedBulkheadLayer<K, F, D, P> {
    type Service = KeyedBulkheadService<S, K, F, D, P>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { bulkhead, key_of, demands, protocol } = self;
        KeyedBulkheadService::new(inner, bulkhead.clone(), key_of.clone(), demands.clone(), protocol.clone())
    }
}

impl<K, F, D: fmt::Debug, P: fmt::Debug> fmt::Debug for KeyedBulkheadLayer<K, F, D, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBulkheadLayer")
            .field("bulkhead", &self.bulkhead)
            .field("demands", &self.demands)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

crate::registry::member!([K: crate::keyed::Key, F, D, P] KeyedBulkheadLayer<K, F, D, P>, bulkhead);
