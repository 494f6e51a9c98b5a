//! Stacks of tower layers over real sockets, under both of reqwest's clients.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails, helpers included")]

mod answers;
mod background;
mod cancel;
mod errors;
mod extensions;
mod limits;
mod redirect;
mod refusal;
mod replay;
mod retry;
mod service;
mod support;
