//! What the builders of one throttle and of many have in common.

/// The setters of all fields of the configuration: the builder has the fields `config`, `seed` and `registry`.
macro_rules! config_setters {
    ($builder:ident $(<$generic:ident>)?) => {
        impl $(<$generic>)? $builder $(<$generic>)? {
            /// Takes all settings from a [`Config`](crate::throttle::Config).
            pub fn config(mut self, config: crate::throttle::Config) -> Self {
                self.config = config;
                self
            }

            /// Takes all settings from a [`Preset`](crate::throttle::Preset).
            pub fn preset(self, preset: crate::throttle::Preset) -> Self {
                self.config(preset.config())
            }

            /// How many requests are sent for each one that is accepted, before any is held back (default 2);
            /// 1.1 to 100.
            pub fn k(mut self, k: f64) -> Self {
                self.config.k = k;
                self
            }

            /// For how long requests count (default 2 min); 1 s to 1 h.
            pub fn window(mut self, window: Duration) -> Self {
                self.config.window = window;
                self
            }

            /// The largest share of requests that is held back (default 0.9); 0.01 to 1.
            pub fn max_share(mut self, share: f64) -> Self {
                self.config.max_share = share;
                self
            }

            /// Fewer requests in the window say nothing (default 10); 1 to 1,000,000.
            pub fn min_requests(mut self, requests: u32) -> Self {
                self.config.min_requests = requests;
                self
            }

            /// Failures by which the dependency did not accept a request, instead of the
            /// [default ones](crate::throttle::DEFAULT_REFUSED_BY).
            ///
            /// ```
            /// use portcullis::{FailureKind, Throttle};
            ///
            /// let throttle = Throttle::builder("partner").refused_by([FailureKind::RateLimited]).build()?;
            /// # let _ = throttle;
            /// # Ok::<(), portcullis::ConfigError>(())
            /// ```
            pub fn refused_by(mut self, kinds: impl IntoIterator<Item = portcullis_core::FailureKind>) -> Self {
                self.config.refused_by = kinds.into_iter().collect();
                self
            }

            /// Whether calls are held back, or only counted (default: held back).
            pub fn mode(mut self, mode: portcullis_core::Mode) -> Self {
                self.config.mode = mode;
                self
            }

            /// Draws who is held back from a generator with this seed, so that a run can be repeated.
            pub fn seed(mut self, seed: u64) -> Self {
                self.seed = Some(seed);
                self
            }

            /// Joins this registry instead of the global one.
            pub fn registry(mut self, registry: &crate::Registry) -> Self {
                self.registry = registry.clone();
                self
            }
        }
    };
}

pub(super) use config_setters;
