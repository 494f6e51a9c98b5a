//! The rules of a breaker, one method each, and what else every builder of breakers has.

/// Gives a builder with the fields `config`, `seed` and `registry` a setter for each rule, and for those two.
macro_rules! config_setters {
    ($builder:ident $(<$generic:ident>)?) => {
        impl $(<$generic>)? $builder $(<$generic>)? {
            /// Takes all settings from a [`Config`](crate::breaker::Config).
            pub fn config(mut self, config: $crate::breaker::Config) -> Self {
                self.config = config;
                self
            }

            /// Takes all settings from a [`Preset`](crate::breaker::Preset), to go on from.
            ///
            /// ```
            /// use portcullis::{Breaker, breaker::Preset};
            ///
            /// let breaker = Breaker::builder("search").preset(Preset::FastApi).window(500).build()?;
            /// assert_eq!(breaker.config().open_for.as_secs(), 30);
            /// # Ok::<(), portcullis::ConfigError>(())
            /// ```
            pub fn preset(self, preset: $crate::breaker::Preset) -> Self {
                self.config(preset.config())
            }

            /// Opens after this many failures in a row (default 5); 1 to 1,000,000. At hundreds of calls a
            /// second, five in a row may be one short stall: ask for more there, or let the ratio decide
            /// alone.
            pub fn consecutive_failures(mut self, failures: u32) -> Self {
                self.config.consecutive_failures = Some(failures);
                self
            }

            /// Does not count failures in a row.
            pub fn no_consecutive_failures(mut self) -> Self {
                self.config.consecutive_failures = None;
                self
            }

            /// Opens when this share of the last calls failed (default 0.5); 0.0001 to 1.
            pub fn failure_ratio(mut self, ratio: f64) -> Self {
                self.config.failure_ratio = Some(ratio);
                self
            }

            /// Does not look at the share of failures.
            pub fn no_failure_ratio(mut self) -> Self {
                self.config.failure_ratio = None;
                self
            }

            /// How many of the last calls the ratio is taken over (default 100); 1 to 1,000,000. Lowers
            /// [`minimum_calls`](Self::minimum_calls) when that would not fit any more.
            pub fn window(mut self, calls: u32) -> Self {
                self.config.window = calls;
                self.config.minimum_calls = self.config.minimum_calls.min(calls.max(1));
                self
            }

            /// The ratio is not asked before this many calls (default 20, or the window if that is less); 1
            /// to `window`.
            pub fn minimum_calls(mut self, calls: u32) -> Self {
                self.config.minimum_calls = calls;
                self
            }

            /// How long it stays open before it probes (default 5 s); 1 ms to 24 h.
            pub fn open_for(mut self, time: std::time::Duration) -> Self {
                self.config.open_for = time;
                self
            }

            /// Probes in flight at a time while half-open (default 3); 1 to 1000.
            pub fn permits(mut self, permits: u32) -> Self {
                self.config.permits = permits;
                self
            }

            /// Probes that must succeed to close (default 3); 1 to 1000.
            pub fn successes(mut self, successes: u32) -> Self {
                self.config.successes = successes;
                self
            }

            /// A probe without a result after this time counts as failed (default 10 s); 1 ms to 24 h.
            pub fn lease(mut self, time: std::time::Duration) -> Self {
                self.config.lease = time;
                self
            }

            /// Half-open for this long without a decision opens again (default off); 1 ms to 24 h.
            pub fn max_half_open(mut self, time: std::time::Duration) -> Self {
                self.config.max_half_open = Some(time);
                self
            }

            /// A call that is cancelled after at least this time counts as a timeout (default off); 1 ms to
            /// 24 h.
            pub fn hung_after(mut self, time: std::time::Duration) -> Self {
                self.config.hung_after = Some(time);
                self
            }

            /// Opens by the share of failures in the last seconds too (default off): this far back, otherwise
            /// as [`TimeRule`](crate::breaker::TimeRule) has it by default; 1 ms to 24 h. To go by time
            /// alone, add [`no_failure_ratio`](Self::no_failure_ratio).
            pub fn time_window(self, span: std::time::Duration) -> Self {
                self.time_rule($crate::breaker::TimeRule { span, ..$crate::breaker::TimeRule::default() })
            }

            /// Opens by the share of failures in the last seconds too.
            pub fn time_rule(mut self, rule: $crate::breaker::TimeRule) -> Self {
                self.config.time_window = Some(rule);
                self
            }

            /// Opens when this share of the calls took at least this long too (default off); 0.0001 to 1, and
            /// 1 ms to 24 h. Answers that are right but too slow hurt like failures. Costs two clock reads
            /// per call.
            ///
            /// ```
            /// use portcullis::{Breaker, breaker::SlowRule};
            /// use std::time::Duration;
            ///
            /// let breaker = Breaker::builder("search").slow_calls(Duration::from_secs(2), 0.5).build()?;
            /// assert_eq!(breaker.config().slow_calls, Some(SlowRule::after(Duration::from_secs(2))));
            /// # Ok::<(), portcullis::ConfigError>(())
            /// ```
            pub fn slow_calls(mut self, after: std::time::Duration, ratio: f64) -> Self {
                self.config.slow_calls = Some($crate::breaker::SlowRule { after, ratio });
                self
            }

            /// Opens after so many failures of this kind in the window too (default none); 1 to 1,000,000.
            pub fn failures_of(mut self, kind: $crate::FailureKind, limit: u32) -> Self {
                self.config.kind_limits.insert(kind, limit);
                self
            }

            /// Opens by a rule of one's own too. One that panics is not met.
            ///
            /// ```
            /// use portcullis::Breaker;
            ///
            /// let breaker = Breaker::builder("ledger").rule(|seen| seen.calls.failures > 3 && seen.calls.calls > 9);
            /// # let _ = breaker.build()?;
            /// # Ok::<(), portcullis::ConfigError>(())
            /// ```
            pub fn rule(
                mut self,
                rule: impl Fn(&$crate::breaker::Seen) -> bool + Send + Sync + 'static,
            ) -> Self {
                self.config.rule = Some($crate::breaker::TripRule::new(rule));
                self
            }

            /// What each further open time is multiplied by while it does not work again (default 2); 1 to
            /// 10.
            pub fn open_factor(mut self, factor: f64) -> Self {
                self.config.open_factor = factor;
                self
            }

            /// No open time grows past this (default 5 min); 1 ms to 24 h.
            pub fn open_cap(mut self, cap: std::time::Duration) -> Self {
                self.config.open_cap = cap;
                self
            }

            /// How much of each open time is left to chance (default 0.1), downwards; 0 to 1.
            pub fn open_jitter(mut self, share: f64) -> Self {
                self.config.open_jitter = share;
                self
            }

            /// Stays open for exactly this time: no growth and no chance, but longer when the dependency asks
            /// for more; 1 ms to 24 h.
            pub fn open_for_exactly(self, time: std::time::Duration) -> Self {
                self.open_for(time).open_factor(1.0).open_jitter(0.0)
            }

            /// Closed for this long, it starts again with the first open time (default 60 s); 0 to 24 h.
            pub fn open_reset_after(mut self, time: std::time::Duration) -> Self {
                self.config.open_reset_after = time;
                self
            }

            /// The open time as a function of what led to it; held between 1 ms and 24 h. When it panics, as
            /// it would be without it.
            ///
            /// ```
            /// use portcullis::Breaker;
            /// use std::time::Duration;
            ///
            /// let breaker = Breaker::builder("ledger")
            ///     .open_time(|opening| Duration::from_secs(u64::from(opening.times)))
            ///     .build()?;
            /// # let _ = breaker;
            /// # Ok::<(), portcullis::ConfigError>(())
            /// ```
            pub fn open_time(
                mut self,
                time: impl Fn(&$crate::breaker::Opening) -> std::time::Duration + Send + Sync + 'static,
            ) -> Self {
                self.config.open_time = Some($crate::breaker::OpenTime::new(time));
                self
            }

            /// Closes when less than this share of the probes failed (default: one failure opens); 0.0001 to
            /// 1.
            pub fn probe_ratio(mut self, ratio: f64) -> Self {
                self.config.probe_ratio = Some(ratio);
                self
            }

            /// The chance of a call to get a free permit (default 1: who comes first); 0.01 to 1.
            pub fn probe_chance(mut self, chance: f64) -> Self {
                self.config.probe_chance = chance;
                self
            }

            /// After the probes, the share of calls that go through rises from a tenth to all within this
            /// time (default off); 1 ms to 24 h.
            pub fn ramp(mut self, time: std::time::Duration) -> Self {
                self.config.ramp = Some(time);
                self
            }

            /// Refuses retries alone: first attempts pass even when it is open. Where a retry is refused, its
            /// call ends with the refusal, and not with what the attempt before it got.
            ///
            /// A layer tells them apart by the request's [`Attempt`](crate::protocol::Attempt), which only
            /// the protocols for HTTP and gRPC write and read, in the retry above as in the breaker. With
            /// others every call is a first attempt, but for
            /// [`try_admit_retry`](crate::Breaker::try_admit_retry).
            pub fn only_retries(mut self) -> Self {
                self.config.only_retries = true;
                self
            }

            /// States that end by time do so on time, and not when the next call comes. A task in the tokio
            /// runtime in which the state changed sees to that, by its timers; outside of one nothing does.
            pub fn automatic(mut self) -> Self {
                self.config.automatic = true;
                self
            }

            /// What happens to calls that are to be refused (default: they are refused).
            pub fn mode(mut self, mode: $crate::breaker::Mode) -> Self {
                self.config.mode = mode;
                self
            }

            /// Whatever is left to chance is the same every time, for tests.
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
