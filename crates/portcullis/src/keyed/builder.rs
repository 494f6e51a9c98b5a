//! The builder of a policy per key: what is the same for every kind of policy.

/// Makes the builder of a keyed policy, all but what is its own to set, and `build`. In braces is what the methods' docs say
/// besides.
macro_rules! keyed_builder {
    (
        $(#[$doc:meta])*
        $Builder:ident, $Config:ty $(, $extra:ident: $Extra:ty)?;

        $(keys { $(#[$keys:meta])+ })?
        $(max_keys { $(#[$most:meta])+ })?
        idle_after { $(#[$idle:meta])+ }
    ) => {
        $(#[$doc])*
        #[must_use = "a builder does nothing until `build`"]
        pub struct $Builder<K = Box<str>> {
            name: portcullis_core::Name,
            config: $Config,
            limits: $crate::keyed::Limits,
            registry: $crate::Registry,
            seed: Option<u64>,
            $($extra: $Extra,)?
            keys: std::marker::PhantomData<fn(K)>,
        }

        impl $Builder {
            pub(super) fn new(name: portcullis_core::Name) -> Self {
                Self {
                    name,
                    config: Default::default(),
                    limits: Default::default(),
                    registry: $crate::Registry::global().clone(),
                    seed: None,
                    $($extra: Default::default(),)?
                    keys: std::marker::PhantomData,
                }
            }
        }

        impl<K> $Builder<K> {
            /// Keeps keys of this type (default `Box<str>`, looked up by `&str`).
            $($(#[$keys])+)?
            pub fn keys<Other: $crate::keyed::Key>(self) -> $Builder<Other> {
                let Self { name, config, limits, registry, seed, $($extra,)? .. } = self;
                let keys = std::marker::PhantomData;
                $Builder { name, config, limits, registry, seed, $($extra,)? keys }
            }

            /// The most keys at a time (default 10,000); 1 to 16,777,216.
            $($(#[$most])+)?
            pub fn max_keys(mut self, keys: usize) -> Self {
                self.limits.max_keys = keys;
                self
            }

            $(#[$idle])+
            pub fn idle_after(mut self, time: std::time::Duration) -> Self {
                self.limits.idle_after = time;
                self
            }
        }

        impl<K> Clone for $Builder<K> {
            fn clone(&self) -> Self {
                Self {
                    name: self.name.clone(),
                    config: self.config.clone(),
                    limits: self.limits,
                    registry: self.registry.clone(),
                    seed: self.seed,
                    $($extra: self.$extra.clone(),)?
                    keys: std::marker::PhantomData,
                }
            }
        }

        impl<K> std::fmt::Debug for $Builder<K> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($Builder))
                    .field("name", &self.name)
                    .field("config", &self.config)
                    .field("limits", &self.limits)
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use keyed_builder;
