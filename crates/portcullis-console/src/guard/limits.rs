//! How much the console takes on: its own policies, in a registry that shows up nowhere.

use std::time::Duration;

use portcullis::{Bulkhead, ConfigError, RateLimit, Registry, Rejection, Timeout, bulkhead::BulkheadTicket};

use crate::problem::Problem;

/// Requests that are worked on at a time; each is a few milliseconds.
const IN_FLIGHT: u32 = 32;
/// A page asks about twice a second, and a scraper less.
const READS: (u32, u32) = (100, 200);
/// People make changes, and scripts a few in a row.
const CHANGES: (u32, u32) = (10, 20);
/// Wrong tokens, of everybody together. The right one is not held up by them.
const WRONG: (u32, u32) = (5, 20);
/// A body of 64 kilobytes takes no longer.
const REQUEST: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

/// The limits of one console.
pub(crate) struct Limits {
    /// The page, which needs no token: a flood of such requests must not shut out who has one.
    pages: RateLimit,
    reads: RateLimit,
    changes: RateLimit,
    wrong: RateLimit,
    requests: Bulkhead,
    streams: Bulkhead,
    pub(crate) request: Timeout,
}

/// A second holds so many, and that many may come at once.
fn rate(name: &str, (per_second, burst): (u32, u32), registry: &Registry) -> Result<RateLimit, ConfigError> {
    RateLimit::builder(name).rate(per_second, SECOND).burst(burst).registry(registry).build()
}

fn full(rejection: Rejection) -> Problem {
    Problem::refused(&rejection)
}

impl Limits {
    pub(crate) fn new(streams: u32, reads: u32) -> Result<Self, ConfigError> {
        let own = &Registry::new();
        Ok(Self {
            pages: rate("console pages", (reads, reads.saturating_mul(2)), own)?,
            reads: rate("console reads", (reads, reads.saturating_mul(2)), own)?,
            changes: rate("console changes", CHANGES, own)?,
            wrong: rate("console wrong tokens", WRONG, own)?,
            requests: Bulkhead::builder("console requests").max_in_flight(IN_FLIGHT).registry(own).build()?,
            streams: Bulkhead::builder("console streams").max_in_flight(streams).registry(own).build()?,
            request: Timeout::builder("console request", REQUEST).registry(own).build()?,
        })
    }

    /// What a console has that is not told otherwise.
    pub(crate) const fn usual_reads() -> u32 {
        READS.0
    }

    pub(crate) fn page(&self) -> Result<(), Problem> {
        self.pages.try_admit().map_err(full)
    }

    pub(crate) fn read(&self) -> Result<(), Problem> {
        self.reads.try_admit().map_err(full)
    }

    pub(crate) fn change(&self) -> Result<(), Problem> {
        self.changes.try_admit().map_err(full)
    }

    /// Counts a wrong token.
    pub(crate) fn wrong(&self) -> Result<(), Problem> {
        self.wrong.try_admit().map_err(full)
    }

    /// Room for a request, until it is answered.
    pub(crate) fn request(&self) -> Result<BulkheadTicket, Problem> {
        self.requests.try_admit().map_err(full)
    }

    /// Room for a stream, until it ends.
    pub(crate) fn stream(&self) -> Result<BulkheadTicket, Problem> {
        self.streams.try_admit().map_err(full)
    }
}
