//! What the builders of one hedge and of many have in common.

/// The setters of all fields of the configuration but the budget: the builder has the fields `config`, `seed`
/// and `registry`.
macro_rules! config_setters {
    ($builder:ident $(<$generic:ident>)?) => {
        impl $(<$generic>)? $builder $(<$generic>)? {
            /// Takes all settings from a [`Config`](crate::hedge::Config).
            pub fn config(mut self, config: crate::hedge::Config) -> Self {
                self.config = config;
                self
            }

            /// Takes all settings from a [`Preset`](crate::hedge::Preset).
            pub fn preset(self, preset: crate::hedge::Preset) -> Self {
                self.config(preset.config())
            }

            /// How long an attempt is waited for before another is sent (default: as long as 95 of 100 take).
            pub fn delay(mut self, delay: crate::hedge::Delay) -> Self {
                self.config.delay = delay;
                self
            }

            /// Always waits as long; 0 to 24 h.
            pub fn fixed_delay(self, delay: Duration) -> Self {
                self.delay(crate::hedge::Delay::Fixed(delay))
            }

            /// Waits as long as this share of the calls took lately, 0.5 to 0.999, within the default bounds.
            pub fn percentile(self, quantile: f64) -> Self {
                self.delay(crate::hedge::Delay::percentile(quantile))
            }

            /// Attempts in total, with the first (default 2); 2 to 5.
            pub fn max_attempts(mut self, attempts: u32) -> Self {
                self.config.max_attempts = attempts;
                self
            }

            /// The longest wait a dependency can ask for (default 30 s); 0 to 24 h.
            pub fn max_retry_after(mut self, time: Duration) -> Self {
                self.config.max_retry_after = time;
                self
            }

            /// A failure of this kind ends the call, unless nothing was processed (default: validation and data
            /// loss).
            pub fn fatal(mut self, kind: portcullis_core::FailureKind) -> Self {
                self.config.fatal.insert(kind);
                self
            }

            /// Whether hedges are sent, or only counted (default: sent).
            pub fn mode(mut self, mode: portcullis_core::Mode) -> Self {
                self.config.mode = mode;
                self
            }

            /// Draws the lots of [`Mode::EnforcePercent`](crate::Mode::EnforcePercent) from a generator with this seed, so that a run can be
            /// repeated.
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
