//! Policies by their own types.

use std::{
    any::Any,
    sync::{Arc, Weak},
};

use portcullis_core::{Name, PolicyKind};

use super::{Policy, Registry};
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

    /// The policy, for as long as it lives.
    fn policy(&self) -> Weak<dyn Policy>;
}

impl<T: Policy, L: Send + Sync + 'static> Held for Sharded<T, L> {
    fn from_joined(joined: Arc<dyn Any + Send + Sync>) -> Option<Self> {
        Self::from_any(joined)
    }

    fn policy(&self) -> Weak<dyn Policy> {
        Arc::downgrade(self.value()) as _
    }
}

impl<T: Policy> Held for Arc<T> {
    fn from_joined(joined: Arc<dyn Any + Send + Sync>) -> Option<Self> {
        joined.downcast().ok()
    }

    fn policy(&self) -> Weak<dyn Policy> {
        Self::downgrade(self) as _
    }
}

/// Lets a handle with a field `shared` be found, and be a part of pipelines.
macro_rules! handle {
    ($handle:ident $(<$($generic:ident: $bound:path),+>)?, $kind:ident $(, with its $budget:ident)?) => {
        impl $(<$($generic: $bound),+>)? $crate::registry::Handle for $handle $(<$($generic),+>)? {
            const KIND: portcullis_core::PolicyKind = portcullis_core::PolicyKind::$kind;

            fn from_joined(joined: std::sync::Arc<dyn std::any::Any + Send + Sync>) -> Option<Self> {
                $crate::registry::Held::from_joined(joined).map(|shared| Self { shared })
            }
        }

        impl $(<$($generic: $bound),+>)? $crate::registry::Member for $handle $(<$($generic),+>)? {
            fn member(
                &self,
            ) -> Option<(portcullis_core::Name, std::sync::Weak<dyn $crate::registry::Policy>)> {
                Some((self.name().clone(), $crate::registry::Held::policy(&self.shared)))
            }
            $(
                fn budget(&self) -> Option<$crate::RetryBudget> {
                    Some(Self::$budget(self).clone())
                }
            )?
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

/// Lets what has a policy in a field be a part of pipelines, as the policy is.
macro_rules! member {
    ([$($generics:tt)*] $type:ty, $field:ident) => {
        impl<$($generics)*> $crate::registry::Member for $type {
            fn member(
                &self,
            ) -> Option<(portcullis_core::Name, std::sync::Weak<dyn $crate::registry::Policy>)> {
                $crate::registry::Member::member(&self.$field)
            }

            fn budget(&self) -> Option<$crate::RetryBudget> {
                $crate::registry::Member::budget(&self.$field)
            }
        }
    };
}

pub(crate) use {handle, member, new_in};
