//! What the builders of one rate limit and of many have in common.

/// The setters of all fields of the configuration: the builder has the fields `config`, `seed` and `registry`.
macro_rules! config_setters {
    ($builder:ident $(<$generic:ident>)?) => {
        impl $(<$generic>)? $builder $(<$generic>)? {
            /// Takes all settings from a [`Config`](crate::rate::Config).
            pub fn config(mut self, config: crate::rate::Config) -> Self {
                self.config = config;
                self
            }

            /// Takes all settings from a [`Preset`](crate::rate::Preset).
            pub fn preset(self, preset: crate::rate::Preset) -> Self {
                self.config(preset.config())
            }

            /// So many permits in a period (default 100 in 1 s); 1 to 1,000,000 and at most one in a microsecond
            /// (unless they divide the period into whole nanoseconds), 1 ms to 30 days.
            pub fn rate(mut self, permits: u32, period: Duration) -> Self {
                (self.config.permits, self.config.period) = (permits, period);
                self
            }

            /// Permits that may be taken at once after a pause (default: as many as in a period); 1 to 1,000,000.
            pub fn burst(mut self, permits: u32) -> Self {
                self.config.burst = Some(permits);
                self
            }

            /// Never more than the rate's permits in any span as long as its period, instead of a bucket; see
            /// [`SlidingWindow`](crate::rate::Algorithm::SlidingWindow).
            pub fn sliding_window(mut self) -> Self {
                self.config.algorithm = crate::rate::Algorithm::SlidingWindow;
                self
            }

            /// Begins with this share of the rate (0.01 to 1), which rises to all of it within this time (1 ms to
            /// 1 h), also after all permits were there for as long (default: none).
            pub fn warmup(mut self, from: f64, time: Duration) -> Self {
                self.config.warmup = Some(crate::rate::Warmup { from, time });
                self
            }

            /// Lets this many calls wait (default 0), in order of arrival, for at most this time (default 1 s); 0 to
            /// 10,000 and 1 ms to 1 h. A call that would have to wait longer is refused at once.
            pub fn queue(mut self, max_queued: u32, max_wait: Duration) -> Self {
                (self.config.max_queued, self.config.max_wait) = (max_queued, max_wait);
                self
            }

            /// Whether calls are refused, or only counted (default: refused).
            pub fn mode(mut self, mode: portcullis_core::Mode) -> Self {
                self.config.mode = mode;
                self
            }

            /// Draws the lots of [`Mode::EnforcePercent`](crate::Mode::EnforcePercent) from a generator with this
            /// seed, so that a run can be repeated.
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
