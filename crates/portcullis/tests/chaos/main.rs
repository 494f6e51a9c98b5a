//! Chaos, in paused time.

mod bodies;
mod calls;
mod chosen;
mod seen;
mod support;
