//! Balancing over endpoints, and the ejection of outliers, in paused time.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests, and what they share")]

mod by_hand;
mod choice;
mod ejection;
mod group;
mod live;
mod readiness;
mod seen;
mod support;
