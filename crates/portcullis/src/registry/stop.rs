//! The emergency stop: everything refuses, until it is released.

use std::sync::PoisonError;

use super::{Policy, Registry, reasons};

impl Registry {
    /// The emergency stop: every policy that can refuse does so, for this reason, and so does every policy that joins
    /// until [`release_all`](Self::release_all). The reason, or the first 200 bytes of it, is in each rejection, in the
    /// snapshots, and told by an event of each policy. Stopped again, it is for the other reason.
    ///
    /// Breakers are isolated; bulkheads, thread pools, rate limits, adaptive limits and load shedders refuse, those by key
    /// for every key. Calls that are under way, and those that waited in line already, go on. All others refuse nothing, or
    /// only by what they have seen, as throttles do, and their calls end where one of these refuses.
    ///
    /// ```
    /// use portcullis::{Bulkhead, Registry};
    ///
    /// let registry = Registry::new();
    /// let bulkhead = Bulkhead::builder("reports").registry(&registry).build()?;
    /// registry.stop_all("the vault is open");
    /// let refused = bulkhead.try_admit().unwrap_err();
    /// assert_eq!(refused.to_string(), "bulkhead 'reports' is stopped: the vault is open");
    /// registry.release_all();
    /// assert!(bulkhead.try_admit().is_ok());
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn stop_all(&self, why: &str) {
        *self.0.stopped.write().unwrap_or_else(PoisonError::into_inner) = reasons::number(why);
        self.policies().iter().for_each(|policy| policy.stop(why));
    }

    /// Why everything is stopped, if it is.
    pub fn stopped(&self) -> Option<&'static str> {
        reasons::text(*self.0.stopped.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Releases every policy that is isolated or stopped.
    pub fn release_all(&self) {
        *self.0.stopped.write().unwrap_or_else(PoisonError::into_inner) = 0;
        self.policies().iter().for_each(|policy| policy.release());
    }

    /// Stops what comes when everything is stopped. It is in the table already: who stops all at this moment finds it
    /// there, or is found here.
    pub(super) fn stop_late(&self, policy: &dyn Policy) {
        let mut done = None;
        loop {
            let why = self.stopped();
            if why == done {
                return;
            }
            match why {
                Some(why) => policy.stop(why),
                // It was released with all others, when it was not stopped yet.
                None => policy.release(),
            }
            // Looked at again, and not locked meanwhile: who hears of it may ask the registry.
            done = why;
        }
    }
}
