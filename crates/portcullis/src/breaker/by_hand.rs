//! What is done to one breaker by hand.

/// Gives a handle with the methods `machine`, `world` and `override_with` those by which people take over.
macro_rules! by_hand {
    ($handle:ident $(<$generic:ident: $bound:ident>)?) => {
        impl $(<$generic: $bound>)? $handle $(<$generic>)? {
            /// Opens now, for the open time. One that is open stays open for the open time from now, and that is
            /// no new trip; one that is under an override stays so.
            pub fn trip(&self) {
                self.machine().trip(&self.world());
            }

            /// Closes now with an empty window, and forgets how often it opened in a row; ends an override too.
            pub fn reset(&self) {
                self.machine().reset(&self.world());
            }

            /// Closes an open, half-open or recovering breaker with an empty window; does nothing in other states.
            pub fn close(&self) {
                self.machine().close(&self.world());
            }

            /// Refuses every call until [`release`](Self::release) or [`reset`](Self::reset).
            pub fn isolate(&self) {
                self.override_with($crate::breaker::State::Isolated, None);
            }

            /// Refuses every call for this time, or until [`release`](Self::release) or [`reset`](Self::reset).
            pub fn isolate_for(&self, time: std::time::Duration) {
                self.override_with($crate::breaker::State::Isolated, Some(time));
            }

            /// Lets every call pass until [`release`](Self::release) or [`reset`](Self::reset), or for a time.
            pub fn force_close(&self, time: Option<std::time::Duration>) {
                self.override_with($crate::breaker::State::ForcedClosed, time);
            }

            /// Lets every call pass, and keeps windows as if closed, until [`release`](Self::release) or
            /// [`reset`](Self::reset), or for a time.
            pub fn only_measure(&self, time: Option<std::time::Duration>) {
                self.override_with($crate::breaker::State::MetricsOnly, time);
            }

            /// Lets every call pass and records nothing until [`release`](Self::release) or [`reset`](Self::reset),
            /// or for a time.
            pub fn disable(&self, time: Option<std::time::Duration>) {
                self.override_with($crate::breaker::State::Disabled, time);
            }

            /// Ends an override: closed, with an empty window. Does nothing in other states.
            pub fn release(&self) {
                self.machine().release(&self.world());
            }
        }
    };
}

pub(super) use by_hand;
