//! What of a fleet's endpoints outlives its process: who is ejected, and how often.

use std::time::Duration;

use portcullis_core::outlier::EndpointStatus;

use super::policy::Shared;
use crate::{
    clock,
    restart::{Kept, Saved},
};

/// Under which name the endpoints are written down.
const ENDPOINTS: &str = "endpoints";

impl Shared {
    /// Writes down who was ejected. Those of whom it was only told are not.
    pub(super) fn save_endpoints(&self, into: &mut Saved) {
        self.sweep();
        for EndpointStatus { name, times, ejected_for, enforced, .. } in self.fleet.endpoints(clock::now()) {
            if times == 0 {
                continue;
            }
            let part = into.part(ENDPOINTS, &name);
            part.count("times", times);
            if let (Some(left), true) = (ejected_for, enforced) {
                part.time("left", left);
            }
        }
    }

    /// Ejects them again for what is left; whether there was anybody.
    pub(super) fn resume_endpoints(&self, from: &Kept<'_>) -> bool {
        let (now, mut any) = (clock::now(), false);
        for (name, kept) in from.parts(ENDPOINTS) {
            let left = kept.left("left").filter(|left| *left > Duration::ZERO);
            let times = kept.narrow("times").unwrap_or(0);
            for endpoint in self.fleet.named(name) {
                any = true;
                self.tell(self.fleet.resume(&endpoint, times, left, now).into_iter().collect());
            }
        }
        any
    }
}
