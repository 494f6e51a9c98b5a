//! What of a throttle outlives its process.

use super::policy::Shared;
use crate::{
    clock,
    restart::{Kept, Saved},
};

impl Shared {
    /// Writes its window down.
    pub(super) fn save_window(&self, into: &mut Saved) {
        let (requests, accepted) = self.throttler.memory(clock::now());
        if requests > 0 {
            into.count("requests", requests);
            into.count("accepted", accepted);
        }
    }

    /// Takes it over; whether there was one that is not over.
    pub(super) fn resume_window(&self, from: &Kept<'_>) -> bool {
        let window = from.within(self.throttler.config().window);
        let counts = window.and_then(|from| Some((from.count("requests")?, from.count("accepted")?)));
        if let Some((requests, accepted)) = counts {
            self.throttler.resume(requests, accepted, clock::now());
        }
        counts.is_some()
    }
}
