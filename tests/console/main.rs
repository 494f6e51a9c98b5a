//! The live page in a real Chromium, against a real service.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod accessible;
mod actions;
mod dialogs;
mod keyboard;
mod live;
mod pictures;
mod pipelines;
mod restart;
mod safe;
mod settings;
mod shop;
mod tab;
mod thousand;
mod trace;
