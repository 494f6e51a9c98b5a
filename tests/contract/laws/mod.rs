//! Tower's laws for every layer, under each protocol that fits it, and for stacks of layers.

mod breaker;
mod bulkhead;
mod health;
mod hedge;
mod keyed;
mod orders;
mod peek;
mod probe;
mod rate;
mod retry;
mod service_config;
mod stack;
mod status;
mod timeout;
