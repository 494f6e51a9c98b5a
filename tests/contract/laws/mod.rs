//! Tower's laws for every layer, under each protocol that fits it, and for stacks of layers.

mod breaker;
mod bulkhead;
mod health;
mod keyed;
mod orders;
mod probe;
mod retry;
mod stack;
mod timeout;
