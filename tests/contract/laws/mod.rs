//! Tower's laws for every layer, under each protocol that fits it, and for stacks of layers.

mod adaptive;
mod balance;
mod breaker;
mod bulkhead;
mod chaos;
mod deadline;
mod fallback;
mod health;
mod hedge;
mod keyed;
mod orders;
mod peek;
mod pool;
mod probe;
mod rate;
mod reconnect;
mod retry;
mod service_config;
mod shed;
mod stack;
mod status;
mod throttle;
mod timeout;
