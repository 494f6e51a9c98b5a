//! What of an adaptive limit outlives its process.

use super::policy::Shared;
use crate::restart::{Kept, LIMIT_FRESH, Saved};

impl Shared {
    /// Writes down what was found.
    pub(super) fn save_limit(&self, into: &mut Saved) {
        let (limit, baseline) = self.limiter.memory();
        into.ratio("limit", limit);
        if let Some(baseline) = baseline {
            into.time("baseline", baseline);
        }
    }

    /// Takes it over; whether there was anything that is not too old.
    pub(super) fn resume_limit(&self, from: &Kept<'_>) -> bool {
        let Some(from) = from.within(LIMIT_FRESH) else { return false };
        let Some(limit) = from.ratio("limit") else { return false };
        self.tell(self.limiter.resume(limit, from.time("baseline")));
        true
    }
}
