//! How long calls usually take, and the limit that follows it.

use std::{sync::OnceLock, time::Duration};

use portcullis_core::{
    Time,
    quantile::{Followed, Quantiles},
};

use super::Config;
use crate::{
    clock,
    restart::{FRESH, Kept, Saved},
    shard,
};

/// How far back is looked: as for a [hedge](crate::hedge), long enough for a hundred calls of a quiet service.
const SPAN: Duration = Duration::from_secs(60);

/// How long calls took lately.
#[derive(Default)]
pub(super) struct Usual {
    /// There once somebody wanted to know.
    took: OnceLock<Quantiles>,
    /// The limit.
    followed: Followed,
}

impl Usual {
    /// Counts a call that took so long, or at least that.
    pub(super) fn record(&self, shard: usize, took: Duration, now: Time) {
        self.took().record(shard, took, now);
    }

    /// The limit, looked up now and then.
    pub(super) fn limit(&self, now: Time, look: impl FnOnce() -> Duration) -> Option<Duration> {
        self.followed.value(now, || Some(look()))
    }

    /// The limit by these settings, from all that was seen.
    pub(super) fn look(&self, config: &Config, now: Time) -> Duration {
        let Some(rule) = config.adaptive else { return config.limit };
        let seen = self.took.get().and_then(|took| took.quantile(rule.quantile, rule.min_calls.into(), now));
        rule.limit(seen, config.limit)
    }

    /// Writes down how long calls took.
    pub(super) fn save(&self, into: &mut Saved) {
        if let Some(took) = self.took.get() {
            into.pairs("took", took.memory(clock::now()));
        }
    }

    /// Takes it over, if it is not too old; whether there was anything.
    pub(super) fn resume(&self, from: &Kept<'_>) -> bool {
        let Some(from) = from.within(FRESH) else { return false };
        let mut took = from.pairs("took").peekable();
        let is_any = took.peek().is_some();
        if is_any {
            self.took().resume(took, clock::now());
            self.forget();
        }
        is_any
    }

    /// There are other settings.
    pub(super) fn forget(&self) {
        self.followed.forget();
    }

    fn took(&self) -> &Quantiles {
        self.took.get_or_init(|| Quantiles::new(SPAN, shard::count()))
    }
}
