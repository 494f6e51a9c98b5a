//! The handle of a policy per key: what is the same for every kind of policy.

/// Makes the handle of a keyed policy, all but its status: of which policies, with which settings and builder, and by
/// which name a key's policy is asked for, here and by layers.
macro_rules! keyed_handle {
    (
        $(#[$doc:meta])*
        $Keyed:ident of $One:ident as $Kind:ident, $Config:ty, $Builder:ident, $Status:ident;

        $(#[$example:meta])*
        fn $pick:ident in $Picks:ident of $Layer:literal, else $without:literal
    ) => {
        $(#[$doc])*
        pub struct $Keyed<K = Box<str>> {
            pub(super) shared: std::sync::Arc<$crate::keyed::many::Many<K, $One>>,
        }

        impl $Keyed {
            /// One for keys of text with the defaults, in the global registry.
            pub fn new(name: impl Into<portcullis_core::Name>) -> Self {
                // It cannot fail: the defaults are within their ranges, and a test says so.
                Self::builder(name).build().expect("the defaults are valid")
            }

            /// One to be configured.
            pub fn builder(name: impl Into<portcullis_core::Name>) -> $Builder {
                $Builder::new(name.into())
            }
        }

        impl<K> $Keyed<K> {
            /// The name.
            pub fn name(&self) -> &portcullis_core::Name {
                self.shared.common.emitter.name()
            }

            #[doc = concat!(
                "The policies, picked by the key of a request: one of [`by`](crate::keyed::by), or a function that \
                returns the key. For [`", $Layer, "::by`](crate::", $Layer, "::by). A request without a key is ",
                $without, "."
            )]
            pub fn by<F>(&self, key_of: F) -> $crate::keyed::ByKey<Self, F> {
                $crate::keyed::ByKey::new(self.clone(), key_of)
            }

            /// The policy that all keys share for which there is no room: an ordinary one, with the same rules, and the
            /// name of this one and "/(other)".
            pub fn overflow(&self) -> &$One {
                &self.shared.overflow
            }

            /// The settings of every key.
            pub fn config(&self) -> std::sync::Arc<$Config> {
                self.shared.common.config.load()
            }

            /// Its last events.
            pub fn recent_events(&self) -> Vec<$crate::event::Event> {
                self.shared.common.emitter.recent()
            }
        }

        impl<K: $crate::keyed::Key> $Keyed<K> {
            /// The policy of a key, made if it is not there; that of [`overflow`](Self::overflow), when there is no
            /// room for it. While it is held, the key is not forgotten. It calls without tower, too.
            $(#[$example])*
            pub fn $pick<Q>(&self, key: &Q) -> $One
            where
                K: std::borrow::Borrow<Q>,
                Q: std::hash::Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
            {
                self.shared.policy(key)
            }

            /// The policy of a key that is there. This does not count as use.
            pub fn get<Q>(&self, key: &Q) -> Option<$One>
            where
                K: std::borrow::Borrow<Q>,
                Q: std::hash::Hash + Eq + ?Sized,
            {
                self.shared.get(key)
            }

            /// Calls `each` for all keys, with no lock held. Keys that come or go meanwhile may be left out.
            pub fn for_each(&self, each: impl FnMut(&K, &$One)) {
                self.shared.for_each(each);
            }

            /// Forgets what is idle now; inserts do it little by little anyway. Returns how many keys that were.
            pub fn sweep(&self) -> usize {
                self.shared.keys.sweep($crate::clock::now())
            }

            /// How many keys there are.
            pub fn len(&self) -> usize {
                self.shared.keys.len()
            }

            /// Whether there are none.
            pub fn is_empty(&self) -> bool {
                self.shared.keys.is_empty()
            }

            /// How many keys were forgotten.
            pub fn evictions(&self) -> $crate::keyed::Evictions {
                self.shared.keys.evictions()
            }

            /// The bounds.
            pub fn limits(&self) -> &$crate::keyed::Limits {
                self.shared.keys.limits()
            }

            /// Everything there is to see but the keys themselves: takes no longer for more keys.
            pub fn status(&self) -> $Status {
                self.shared.status()
            }

            #[doc = concat!(
                "Changes the settings of all keys, and of [`overflow`](Self::overflow), while calls flow, as [`",
                stringify!($One), "::reconfigure`] does. Takes a look at each key."
            )]
            ///
            /// # Errors
            ///
            /// The first setting outside its range; nothing has changed then.
            pub fn reconfigure(&self, config: $Config) -> Result<(), portcullis_core::ConfigError> {
                $crate::keyed::seen::Seen::change(&self.shared, |_| config)
            }

            /// Says whether what is decided of any key is done, or only counted.
            ///
            /// # Errors
            ///
            /// When the mode's percentage is more than 100.
            pub fn set_mode(&self, mode: portcullis_core::Mode) -> Result<(), portcullis_core::ConfigError> {
                $crate::registry::Policy::set_mode(&*self.shared, mode)
            }
        }

        impl<K, F, Req> $Picks<Req> for $crate::keyed::ByKey<$Keyed<K>, F>
        where
            K: $crate::keyed::Key + std::borrow::Borrow<F::Key>,
            F: $crate::keyed::KeyOf<Req, Key: std::hash::Hash + Eq + ToOwned<Owned: Into<K>>>,
        {
            #[inline]
            fn $pick(&self, request: &Req) -> Option<std::borrow::Cow<'_, $One>> {
                self.pick(request, |policies, key| policies.shared.policy(key))
            }
        }

        impl<K> Clone for $Keyed<K> {
            fn clone(&self) -> Self {
                Self { shared: self.shared.clone() }
            }
        }

        impl<K> std::fmt::Debug for $Keyed<K> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let keys = &self.shared.keys;
                f.debug_struct(stringify!($Keyed)).field("name", self.name()).field("keys", keys).finish()
            }
        }

        $crate::registry::handle!($Keyed<K: $crate::keyed::Key>, $Kind);
        $crate::registry::new_in!($Keyed of Box<str>);
    };
}

pub(crate) use keyed_handle;
