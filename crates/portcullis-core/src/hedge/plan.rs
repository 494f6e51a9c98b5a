//! The attempts of one call.

use std::time::Duration;

use crate::Failure;

/// Which attempts of one call were sent, and whether there may be others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    sent: u32,
    most: u32,
}

/// When another attempt may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// At once.
    Now,
    /// After this time, because the dependency asked for it.
    In(Duration),
    /// Not at all.
    Never,
}

impl Plan {
    /// The first of `most` attempts is sent.
    #[inline]
    pub fn new(most: u32) -> Self {
        Self { sent: 1, most }
    }

    /// How many were sent.
    pub fn sent(&self) -> u32 {
        self.sent
    }

    /// Whether another may be sent.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.sent < self.most
    }

    /// Takes the next attempt: its number, counted from 1; `None` when there is none.
    pub fn send(&mut self) -> Option<u32> {
        if !self.is_open() {
            return None;
        }
        self.sent += 1;
        Some(self.sent)
    }

    /// Ends it: no other attempt is sent.
    pub fn stop(&mut self) {
        self.most = self.sent;
    }

    /// An attempt failed in a way that another may not: when that is sent. What the dependency asks for goes
    /// before everything else, and is capped at `cap`.
    pub fn after(&mut self, failure: &Failure, cap: Duration) -> Next {
        if failure.do_not_retry {
            self.stop();
        }
        match failure.retry_after {
            _ if !self.is_open() => Next::Never,
            Some(asked) if !asked.is_zero() && !cap.is_zero() => Next::In(asked.min(cap)),
            _ => Next::Now,
        }
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::FailureKind;

    #[derive(Clone, Debug)]
    enum Step {
        Send,
        Fail(Option<u64>, bool),
        Stop,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Send),
            4 => (prop::option::of(0u64..100), prop::bool::weighted(0.1)).prop_map(|(ms, no)| Step::Fail(ms, no)),
            1 => Just(Step::Stop),
        ]
    }

    proptest! {
        /// Never more than there are, none after a stop, and each with a number of its own.
        #[test]
        fn attempts_are_numbered_and_bounded(most in 1u32..6, steps in prop::collection::vec(step(), 0..30)) {
            let mut plan = Plan::new(most);
            let (mut sent, mut stopped) = (1, false);
            let cap = Duration::from_millis(50);
            for step in steps {
                let open = sent < most && !stopped;
                match step {
                    Step::Send => {
                        prop_assert_eq!(plan.send(), open.then_some(sent + 1));
                        sent += u32::from(open);
                    }
                    Step::Fail(ms, no) => {
                        let asked = ms.map(Duration::from_millis);
                        let mut failure = Failure::new(FailureKind::Unavailable).retry_after(asked);
                        failure.do_not_retry = no;
                        stopped |= no;
                        let expected = match asked {
                            _ if !open || no => Next::Never,
                            Some(asked) if !asked.is_zero() => Next::In(asked.min(cap)),
                            _ => Next::Now,
                        };
                        prop_assert_eq!(plan.after(&failure, cap), expected);
                    }
                    Step::Stop => {
                        plan.stop();
                        stopped = true;
                    }
                }
                prop_assert_eq!(plan.sent(), sent);
            }
        }
    }
}
