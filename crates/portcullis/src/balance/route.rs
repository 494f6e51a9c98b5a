//! What a request says about where it should go.

use std::hash::Hash;

use portcullis_core::balance::key_hash;

use crate::keyed::KeyOf;

/// What a request says about where it should go.
pub trait Route<Req> {
    /// Whether it never says anything, so that an endpoint can be chosen before there is a request.
    const IS_FREE: bool = false;

    /// The hash of its key, which always leads to the same endpoint; `None` leads to any.
    fn key(&self, request: &Req) -> Option<u64>;
}

/// Any endpoint will do, by its load.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByLoad;

impl<Req> Route<Req> for ByLoad {
    const IS_FREE: bool = true;

    fn key(&self, _: &Req) -> Option<u64> {
        None
    }
}

/// The same endpoint for the same key.
#[derive(Clone, Debug)]
pub struct ByKey<K>(pub(super) K);

impl<K, Req> Route<Req> for ByKey<K>
where
    K: KeyOf<Req>,
    K::Key: Hash,
{
    fn key(&self, request: &Req) -> Option<u64> {
        self.0.with_key(request, |key| key.map(key_hash))
    }
}
