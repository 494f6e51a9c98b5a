//! A fleet in numbers.

use std::time::Duration;

use crate::{Mode, Name};

use super::Cause;

/// A fleet at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetStatus {
    /// Endpoints there are.
    pub endpoints: usize,
    /// Of these, endpoints that get no calls, panic aside.
    pub ejected: usize,
    /// Whether so few can be used that all are.
    pub panicking: bool,
    /// Calls that succeeded; where failures without an answer are counted apart, among those that were answered.
    pub successes: u64,
    /// Calls that failed, likewise.
    pub failures: u64,
    /// Ejections that were done, by [cause](Cause::index).
    pub ejections: [u64; Cause::WORDS.len()],
    /// Ejections that were only told, because of the mode.
    pub told: [u64; Cause::WORDS.len()],
    /// Ejections that there was no room for.
    pub held_back: u64,
    /// Whether endpoints are ejected, or it is only told.
    pub mode: Mode,
}

/// An endpoint at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointStatus {
    /// Its name.
    pub name: Name,
    /// What it weighs.
    pub weight: u32,
    /// How long it stays ejected, if it is, or is told to be.
    pub ejected_for: Option<Duration>,
    /// Whether it gets no calls for that time.
    pub enforced: bool,
    /// How often it was ejected, less one for each interval in which it was not.
    pub times: u32,
    /// Successes in the interval so far.
    pub successes: u32,
    /// Failures in the interval so far.
    pub failures: u32,
    /// Failures in a row.
    pub consecutive: u32,
}
