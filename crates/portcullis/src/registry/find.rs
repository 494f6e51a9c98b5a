//! Policies by name, as their own types.

use std::{any::Any, convert::Infallible, sync::Arc};

use portcullis_core::Name;

use super::{Entry, Handle, NewIn, Registry, Shared};

/// Methods that are named for policies.
macro_rules! by_name {
    ($($(#[$more:meta])* $method:ident: $handle:path, $what:literal;)+) => {
        $(
            #[doc = concat!("The ", $what, " of this name; one with the defaults, if there is none.")]
            ///
            /// See [`get_or_new`](Self::get_or_new).
            $(#[$more])*
            pub fn $method(&self, name: &str) -> $handle {
                self.get_or_new(name)
            }
        )+
    };
}

impl Registry {
    /// The policy of this name and type; the youngest, if there are several. `None` where there is none, or its last
    /// handle is gone.
    ///
    /// ```
    /// use portcullis::{Breaker, KeyedBreaker, Registry};
    ///
    /// let registry = Registry::new();
    /// let made = Breaker::builder("inventory").registry(&registry).build()?;
    /// let found: Breaker = registry.find("inventory").ok_or("it lives")?;
    /// found.trip();
    /// assert!(made.is_refusing());
    /// // One by key has another type.
    /// assert!(registry.find::<KeyedBreaker>("inventory").is_none());
    /// # Ok::<(), portcullis::BoxError>(())
    /// ```
    pub fn find<T: Handle>(&self, name: &str) -> Option<T> {
        self.find_named(&Name::from(name))
    }

    fn find_named<T: Handle>(&self, name: &Name) -> Option<T> {
        let of_that_name: Vec<_> = self.read().of(T::KIND, name).iter().filter_map(Entry::handle).collect();
        // Outside of the lock: those that are not wanted may be dropped here.
        of_that_name.into_iter().rev().find_map(T::from_joined)
    }

    /// The policy of this name and type; if there is none, one with the defaults, which are safe. Who asks for the same name
    /// gets the same policy, on whatever thread.
    ///
    /// A registry keeps nothing alive: what was made goes with its last handle, and the next who asks gets a new one. So
    /// keep it where it is used, and do not ask for each call. A policy with settings of its own is built, by its builder.
    ///
    /// ```
    /// use portcullis::{Breaker, Registry};
    ///
    /// let registry = Registry::new();
    /// let here = registry.breaker("inventory");
    /// let there: Breaker = registry.get_or_new("inventory");
    /// here.trip();
    /// assert!(there.is_refusing());
    /// ```
    pub fn get_or_new<T: NewIn>(&self, name: &str) -> T {
        let name = Name::from(name);
        let made: Result<T, Infallible> = self.get_or_make(&name, |aside| Ok(T::new_in(name.clone(), aside)));
        let Ok(policy) = made;
        policy
    }

    /// The same with one that `make` makes, in the registry that it is given.
    ///
    /// ```
    /// use portcullis::{Bulkhead, Name, Registry};
    ///
    /// let registry = Registry::new();
    /// let name = Name::from("reports");
    /// let made = registry.get_or_make(&name, |registry| {
    ///     Bulkhead::builder(name.clone()).max_in_flight(4).registry(registry).build()
    /// })?;
    /// assert_eq!(registry.bulkhead("reports").status().limit, 4);
    /// # drop(made);
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// That of `make`.
    pub fn get_or_make<T: Handle, E>(
        &self,
        name: &Name,
        make: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(found) = self.find_named(name) {
            return Ok(found);
        }
        // Aside, where nobody finds it yet: making takes the lock of the registry it is made in, and may call anything.
        let aside = self.aside();
        let made = make(&aside)?;
        Ok(self.adopt(&aside, name).unwrap_or(made))
    }

    /// A registry of nobody's, whose policies tell this one.
    fn aside(&self) -> Self {
        Self(Arc::new(Shared { events: self.0.events.clone(), ..Shared::default() }))
    }

    /// Takes in what was made aside, unless somebody else was quicker: that one is returned.
    fn adopt<T: Handle>(&self, aside: &Self, name: &Name) -> Option<T> {
        let mut table = self.write();
        // Held until the lock is gone, for the same reason as above.
        let there: Vec<Arc<dyn Any + Send + Sync>> =
            table.of(T::KIND, name).iter().filter_map(Entry::handle).collect();
        let found = there.iter().rev().find_map(|joined| T::from_joined(joined.clone()));
        let mut policies = Vec::new();
        if found.is_none() {
            for (kind, name, entry) in aside.write().drain() {
                policies.extend(entry.policy());
                table.add(kind, name, entry);
            }
        }
        drop(table);
        // With its budget, where it has one of its own.
        policies.iter().for_each(|policy| self.stop_late(&**policy));
        found
    }

    by_name! {
        breaker: crate::Breaker, "circuit breaker";
        bulkhead: crate::Bulkhead, "bulkhead";
        retry: crate::RetryPolicy, "retry policy";
        hedge: crate::Hedge, "hedge";
        rate_limit: crate::RateLimit, "rate limit";
        adaptive_limit: crate::AdaptiveLimit, "adaptive limit";
        throttle: crate::Throttle, "throttle";
        load_shed: crate::LoadShed, "load shedder";
        thread_pool: crate::ThreadPool, "thread pool";
        fallback: crate::Fallback, "fallback";
        outliers: crate::Outliers, "policy that ejects outliers";
        reconnect: crate::Reconnect, "policy that connects anew";
        coalesce: crate::Coalesce, "policy that lets calls share answers";
        executor: crate::Executor, "executor";
        drain: crate::Drain, "drain";
    }
}
