//! The server over real connections, one for each request.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, helpers included")]

mod health;
mod program;
mod refusals;
mod retries;
mod server;
