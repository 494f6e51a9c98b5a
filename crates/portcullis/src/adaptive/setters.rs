//! What can be set on a builder.

/// Gives a builder with a field `config` a method for every setting.
macro_rules! config_setters {
    ($builder:ident $(<$generic:ident>)?) => {
        impl $(<$generic>)? $builder $(<$generic>)? {
            /// Takes all settings from a [`Config`](crate::adaptive::Config).
            pub fn config(mut self, config: crate::adaptive::Config) -> Self {
                self.config = config;
                self
            }

            /// Takes all settings from a preset.
            pub fn preset(self, preset: crate::adaptive::Preset) -> Self {
                self.config(preset.config())
            }

            /// How the limit is found (default: [Vegas](crate::adaptive::Vegas)).
            pub fn algorithm(mut self, algorithm: crate::adaptive::Algorithm) -> Self {
                self.config.algorithm = algorithm;
                self
            }

            /// The lowest and the highest limit (default 1 and 1000); 1 to 1,000,000.
            pub fn between(mut self, min: u32, max: u32) -> Self {
                (self.config.min, self.config.max) = (min, max);
                self
            }

            /// The limit at first (default 20); within the bounds.
            pub fn initial(mut self, limit: u32) -> Self {
                self.config.initial = limit;
                self
            }

            /// A call that took longer met congestion, whatever has been usual (default: none); 1 ms to 24 h.
            pub fn ceiling(mut self, ceiling: std::time::Duration) -> Self {
                self.config.ceiling = Some(ceiling);
                self
            }

            /// A decision is made at most this often (default 100 ms), and by so many calls at least (default 10);
            /// 1 ms to 1 min, and 5 to 10,000.
            pub fn window(mut self, window: std::time::Duration, min_samples: u32) -> Self {
                (self.config.window, self.config.min_samples) = (window, min_samples);
                self
            }

            /// The share of a window's calls that may meet congestion (default 0.02), and what the limit is multiplied
            /// by after a window in which more did (default 0.9); 0 to 0.5, and 0.1 to 0.99.
            pub fn backoff(mut self, tolerated: f64, backoff: f64) -> Self {
                (self.config.tolerated, self.config.backoff) = (tolerated, backoff);
                self
            }

            /// How often the limit is halved for a moment, to see how long calls take when none waits for another
            /// (default 30 s); 1 s to 24 h.
            pub fn probe_every(mut self, every: std::time::Duration) -> Self {
                self.config.probe_every = every;
                self
            }

            /// Failures of these kinds are congestion (default: timeout, connection, unavailable, rate limited,
            /// resource exhausted, slow).
            pub fn congestion(mut self, kinds: impl IntoIterator<Item = crate::FailureKind>) -> Self {
                self.config.congestion = kinds.into_iter().collect();
                self
            }

            /// Whether calls are refused, or only counted (default: refused). The limit is found in any mode but
            /// [disabled](crate::Mode::Disabled).
            pub fn mode(mut self, mode: crate::Mode) -> Self {
                self.config.mode = mode;
                self
            }

            /// Draws which refusals are enforced, where only a percentage is, from a generator with this seed, so that
            /// a run can be repeated.
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
