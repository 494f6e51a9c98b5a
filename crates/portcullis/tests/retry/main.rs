//! Retries: what is decided, and what is told of it.

#[cfg(feature = "http")]
mod codes;
#[cfg(feature = "http")]
mod deadlines;
mod layers;
mod refusals;
mod support;
#[cfg(feature = "http")]
mod told;
