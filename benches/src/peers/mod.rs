//! The libraries that are compared, one file each.
//!
//! To add one: a file with `pub fn job(row: Row) -> Option<Box<dyn Job>>`, a
//! `mod` line and a line in [`ALL`]. A row that a library does not have is
//! `None`, and an empty cell of the table.

mod bare;
mod failsafe;
mod governor;
mod portcullis;
mod recloser;
mod seatbelt;
mod tower;
mod tower_resilience;

use std::time::Duration;

use ::tower::{Layer, ServiceBuilder};
use http::{Request, Uri};

use crate::inner::Shop;
use crate::{Job, Row};

/// A library that is compared, or the bare call.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The name, as on the command line and in the table.
    pub name: &'static str,
    /// The peer's job of a row, where it has the row.
    pub job: fn(Row) -> Option<Box<dyn Job>>,
}

/// Every peer, in the order of the table's columns.
pub const ALL: &[Peer] = &[
    Peer { name: "portcullis", job: portcullis::job },
    Peer { name: "bare", job: bare::job },
    Peer { name: "tower", job: tower::job },
    Peer { name: "tower-resilience", job: tower_resilience::job },
    Peer { name: "seatbelt", job: seatbelt::job },
    Peer { name: "recloser", job: recloser::job },
    Peer { name: "failsafe", job: failsafe::job },
    Peer { name: "governor", job: governor::job },
];

/// The job of a peer by its name. Wants a tokio runtime to have been entered
/// for the peers that ask it for timers.
pub fn job(peer: &str, row: Row) -> Option<Box<dyn Job>> {
    let peer = ALL.iter().find(|candidate| candidate.name == peer)?;
    (peer.job)(row)
}

/// A whole stack, whose type nobody wants to write.
trait Service: ::tower::Service<u64, Future: Send> + Clone + Send + 'static {}

impl<S> Service for S where S: ::tower::Service<u64, Future: Send> + Clone + Send + 'static {}

/// A layer for HTTP, over requests of one path that are made for each call: what that costs is in the bare call, too.
fn over_http<L>(layer: L) -> impl Service
where
    L: Layer<Shop, Service: ::tower::Service<Request<u64>, Future: Send> + Clone + Send + 'static>,
{
    let path = Uri::from_static("/orders/7");
    let request = move |number: u64| {
        let mut request = Request::new(number);
        *request.uri_mut() = path.clone();
        request
    };
    ServiceBuilder::new().map_request(request).layer(layer).service(Shop)
}

// What is the same for all, so that the rows compare.

/// The length of a breaker's window, where it counts calls.
const WINDOW: u16 = 100;
/// The shortest and the longest window: neither may cost more than the other.
const SHORT_WINDOW: u32 = 10;
const LONG_WINDOW: u32 = 100_000;
/// The length of a breaker's window of time, and into how many parts it may cut it.
const SPAN: Duration = Duration::from_secs(10);
const BUCKETS: u32 = 10;
/// The share of failures that opens a breaker: half of them must not.
const THRESHOLD: f32 = 0.6;
/// Longer than any run, so that an open breaker stays open.
const STAYS_OPEN: Duration = Duration::from_secs(3600);
/// A timeout that never fires.
const PATIENCE: Duration = Duration::from_secs(30);
/// Room in a bulkhead.
const ROOM: u16 = 100;
/// A rate that no run reaches: so many permits in a moment.
const MANY: u32 = 1_000_000;
const MOMENT: Duration = Duration::from_millis(1);
/// Retries after the first attempt.
const RETRIES: u8 = 2;

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::{Row, run};

    /// A peer that trips, gives up or hangs where it should not would be cheap, and wrong.
    #[test]
    fn every_peer_does_what_its_rows_say() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        for peer in ALL {
            for row in Row::ALL {
                if let Some(mut job) = (peer.job)(row) {
                    run(job.as_mut(), row, 1000).unwrap_or_else(|error| panic!("{}: {error}", peer.name));
                    run(job.share().as_mut(), row, 100).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_row_is_found_by_its_name() {
        for row in Row::ALL {
            assert_eq!(Row::named(row.name()), Some(row));
        }
    }
}
