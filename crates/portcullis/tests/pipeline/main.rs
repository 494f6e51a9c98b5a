//! Pipelines: the order by what really happens, what is refused, what is told, in paused time.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

mod explain;
mod order;
mod refused;
mod support;
