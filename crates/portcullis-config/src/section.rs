//! The kinds of policy that a file may have settings for.

use portcullis::{ConfigError, config};
use serde::de::DeserializeOwned;

use crate::{Error, Parts, Settings, error::once};

/// Settings of one kind of policy: one of the types in [`portcullis::config`].
pub trait Section: DeserializeOwned + private::Sealed {
    /// The name of the table of these policies, such as `breaker`.
    const KIND: &'static str;

    /// What the settings become.
    type Config: Clone + PartialEq + 'static;

    /// The configuration.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    fn build(&self) -> Result<Self::Config, ConfigError>;

    /// Whether it goes with the other settings of the file.
    ///
    /// # Errors
    ///
    /// What does not.
    fn check_in(&self, settings: &Settings, name: &str) -> Result<(), Error> {
        let _ = (settings, name);
        Ok(())
    }
}

pub(crate) mod private {
    pub trait Sealed {}
}

/// The kind of this name.
pub(crate) fn kind(name: &str) -> Option<&'static str> {
    KINDS.iter().find(|kind| **kind == name).copied()
}

macro_rules! sections {
    ($($(#[$doc:meta])* $kind:ident: $Section:ty => $Config:ty;)*) => {
        /// The names of all kinds.
        pub(crate) const KINDS: &[&str] = &[$(stringify!($kind),)* "pipeline"];

        $(
            impl private::Sealed for $Section {}

            impl Section for $Section {
                const KIND: &'static str = stringify!($kind);

                type Config = $Config;

                fn build(&self) -> Result<$Config, ConfigError> {
                    <$Section>::build(self)
                }
            }
        )*

        impl Settings {
            /// What is wrong with each policy and pipeline of the file, if anything is: each once.
            ///
            /// ```
            /// use portcullis_config::{Format, Settings};
            ///
            /// let text = "[bulkhead.a]\nmax_in_flight = 0\n[bulkhead.b]\nmax_in_fligth = 1\n";
            /// let settings = Settings::builder().text("shop.toml", Format::Toml, text).load()?;
            /// let lines: Vec<_> = settings.check().iter().filter_map(|error| Some(error.place()?.line())).collect();
            /// assert_eq!(lines, [2, 4]);
            /// # Ok::<(), portcullis_config::Error>(())
            /// ```
            pub fn check(&self) -> Vec<Error> {
                let mut errors = Vec::new();
                $(errors.extend(self.names::<$Section>().filter_map(|name| self.get::<$Section>(name).err()));)*
                errors.extend(self.names::<Parts>().filter_map(|name| self.pipeline(name).err()));
                once(errors)
            }

            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// As [`get`](Self::get).
                pub fn $kind(&self, name: &str) -> Result<$Config, Error> {
                    self.get::<$Section>(name)
                }
            )*
        }
    };
}

sections! {
    /// The configuration of a breaker, or of one by key.
    breaker: config::Breaker => portcullis::breaker::Config;
    /// The configuration of a retry policy, or of one by key. A budget that is shared is no part of it: see
    /// [`config::Retry::budget`].
    retry: config::Retry => portcullis::retry::Config;
    /// The configuration of a budget.
    budget: config::Budget => portcullis::retry::BudgetConfig;
    /// The configuration of a hedge, or of one by key.
    hedge: config::Hedge => portcullis::hedge::Config;
    /// The configuration of a bulkhead.
    bulkhead: config::Bulkhead => portcullis::bulkhead::Config;
    /// The configuration of a bulkhead by key.
    keyed_bulkhead: config::KeyedBulkhead => portcullis::bulkhead::keyed::Config;
    /// The configuration of a rate limit, or of one by key.
    rate_limit: config::RateLimit => portcullis::rate::Config;
    /// The configuration of an adaptive limit, or of one by key.
    adaptive_limit: config::AdaptiveLimit => portcullis::adaptive::Config;
    /// The configuration of a throttle, or of one by key.
    throttle: config::Throttle => portcullis::throttle::Config;
    /// The configuration of a load shedder.
    load_shed: config::LoadShed => portcullis::shed::Config;
    /// The configuration of a pool of threads.
    thread_pool: config::ThreadPool => portcullis::pool::Config;
    /// The configuration of the ejection of outliers.
    outlier: config::Outlier => portcullis::balance::Config;
    /// The configuration of a timeout.
    timeout: config::Timeout => portcullis::timeout::Config;
    /// The configuration of a fallback, or of a failover.
    fallback: config::Fallback => portcullis::fallback::Config;
    /// The configuration of what reconnects.
    reconnect: config::Reconnect => portcullis::reconnect::Config;
    /// The configuration of a coalescing.
    coalesce: config::Coalesce => portcullis::coalesce::Config;
    /// The configuration of a cache.
    cache: config::Cache => portcullis_core::cache::Config;
    /// The configuration of chaos.
    chaos: config::Chaos => portcullis::chaos::Config;
    /// The configuration of a drain.
    drain: config::Drain => portcullis::drain::Config;
    /// The configuration of a check of a [`HealthMonitor`](portcullis::HealthMonitor), by the check's name.
    health_check: config::HealthCheck => portcullis::monitor::CheckConfig;
    /// The configuration of an observer.
    observer: config::Observer => portcullis::observe::Config;
    /// The configuration of a probe.
    probe: config::Probe => portcullis::probe::Config;
}
