//! The rules of a retry policy, one method each, and what else every builder of them has.

/// Gives a builder with the fields `config`, `seed` and `registry` a setter for each rule, and for those two.
macro_rules! config_setters {
    ($builder:ident $(<$generic:ident>)?) => {
        impl $(<$generic>)? $builder $(<$generic>)? {
            /// Takes all settings from a [`Config`](crate::retry::Config).
            pub fn config(mut self, config: $crate::retry::Config) -> Self {
                self.config = config;
                self
            }

            /// Takes all settings from a [`Preset`](crate::retry::Preset), to go on from.
            pub fn preset(self, preset: $crate::retry::Preset) -> Self {
                self.config(preset.config())
            }

            /// Attempts in total, with the first (default 3); 1 to 100.
            pub fn max_attempts(mut self, attempts: u32) -> Self {
                self.config.max_attempts = attempts;
                self
            }

            /// The waits between attempts (default 50 ms, doubling, at most 20 s, full jitter).
            pub fn backoff(mut self, backoff: $crate::retry::Backoff) -> Self {
                self.config.backoff = backoff;
                self
            }

            /// No wait begins that would end after this time from the call (default off); 1 ms to 24 h.
            pub fn total_time(mut self, time: std::time::Duration) -> Self {
                self.config.total_time = Some(time);
                self
            }

            /// The longest wait a dependency can ask for by `Retry-After` (default 30 s); 0 to 24 h.
            pub fn max_retry_after(mut self, time: std::time::Duration) -> Self {
                self.config.max_retry_after = time;
                self
            }

            /// Failures of this kind are not retried, but where nothing was processed (default: validation
            /// and data loss).
            pub fn never_after(mut self, kind: $crate::FailureKind) -> Self {
                self.config.not_retried.insert(kind);
                self
            }

            /// Of gRPC calls retries those and only those that end with one of these codes, idempotent or
            /// not (default: what is safe). What was never processed is retried anyway.
            pub fn grpc_codes(mut self, codes: impl Into<$crate::GrpcCodes>) -> Self {
                self.config.grpc_codes = Some(codes.into());
                self
            }

            /// Makes calls again that a layer below refused, such as an open breaker, if it said when to
            /// come back and that is in time (default off).
            pub fn retry_refusals(mut self) -> Self {
                self.config.retry_refusals = true;
                self
            }

            /// Whether calls are retried, or only counted, as
            /// [`Stop::Shadow`](crate::retry::Stop::Shadow) (default: retried).
            pub fn mode(mut self, mode: $crate::Mode) -> Self {
                self.config.mode = mode;
                self
            }

            /// Draws jitter from a generator with this seed, so that a run can be repeated.
            pub fn seed(mut self, seed: u64) -> Self {
                self.seed = Some(seed);
                self
            }

            /// Joins this registry instead of the global one.
            pub fn registry(mut self, registry: &$crate::Registry) -> Self {
                self.registry = registry.clone();
                self
            }
        }
    };
}

pub(super) use config_setters;
