//! Policies by their own types.

use std::{any::Any, sync::Arc};

use portcullis_core::{Name, PolicyKind};

use super::Registry;
use crate::shard::Sharded;

/// The handle of a policy, which a [`Registry`] can [find](Registry::find) by its name: of every policy there is but a
/// failover, which is a service, and a check, which belongs to its monitor.
pub trait Handle: Sized {
    /// The kind under which it joins.
    const KIND: PolicyKind;

    /// The handle made of what was joined; `None` when that is the policy of another type.
    ///
    /// For one's own policies, which joined as an `Arc<T>`: `joined.downcast::<T>()`.
    fn from_joined(joined: Arc<dyn Any + Send + Sync>) -> Option<Self>;
}

/// A policy that can be made of its name alone, with defaults that are safe.
pub trait NewIn: Handle {
    /// One with the defaults, in this registry.
    fn new_in(name: Name, registry: &Registry) -> Self;
}

/// What a handle holds.
pub(crate) trait Held: Sized {
    fn from_joined(joined: Arc<dyn Any + Send + Sync>) -> Option<Self>;
}

impl<T: Send + Sync + 'static, L: Send + Sync + 'static> Held for Sharded<T, L> {
    fn from_joined(joined: Arc<dyn Any + Send + Sync>) -> Option<Self> {
        Self::from_any(joined)
    }
}

impl<T: Any + Send + Sync> Held for Arc<T> {
    fn from_joined(joined: Arc<dyn Any + Send + Sync>) -> Option<Self> {
        joined.downcast().ok()
    }
}

/// Lets a handle with a field `shared` be found.
macro_rules! handle {
    ($handle:ident $(<$($generic:ident: $bound:path),+>)?, $kind:ident) => {
        impl $(<$($generic: $bound),+>)? $crate::registry::Handle for $handle $(<$($generic),+>)? {
            const KIND: portcullis_core::PolicyKind = portcullis_core::PolicyKind::$kind;

            fn from_joined(joined: std::sync::Arc<dyn std::any::Any + Send + Sync>) -> Option<Self> {
                $crate::registry::Held::from_joined(joined).map(|shared| Self { shared })
            }
        }
    };
}

/// Lets a handle with a builder be made by its name; for a keyed policy, that of one type of key.
macro_rules! new_in {
    ($handle:ident $(<$($generic:ident: $bound:path),+>)?) => {
        $crate::registry::new_in!({$(<$($generic: $bound),+>)?} $handle $(<$($generic),+>)?);
    };
    ($handle:ident of $key:ty) => {
        $crate::registry::new_in!({} $handle<$key>);
    };
    ({$($generics:tt)*} $handle:ty) => {
        impl $($generics)* $crate::registry::NewIn for $handle {
            fn new_in(name: portcullis_core::Name, registry: &$crate::Registry) -> Self {
                // It cannot fail: the defaults are within their ranges, and a test says so.
                Self::builder(name).registry(registry).build().expect("the defaults are valid")
            }
        }
    };
}

pub(crate) use {handle, new_in};
