//! Real servers that break on command.
//!
//! An [`Upstream`] is a server on loopback with a few workers, a queue and a switch for faults that
//! can be turned while requests are in flight.
//!
//! ```text
//! let mut upstream = Upstream::start(Kind::Http, 0.9)?;
//! upstream.set(Fault::Refused).await?;   // connections are cut, new ones refused
//! upstream.set(Fault::None).await?;      // a new process at the same port
//! ```

mod grpc;
mod http;
mod meter;
mod workers;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use ::upstream::Door;
use axum::Router;
use tokio::sync::watch;

pub(crate) use self::meter::Meter;
use self::workers::Workers;
use crate::schedule::Fault;

/// What an upstream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// HTTP/1 and HTTP/2, `GET /stock`.
    Http,
    /// gRPC, `echo.v1.Echo`.
    Grpc,
}

impl Kind {
    const fn workers(self) -> usize {
        match self {
            Self::Http => http::WORKERS,
            Self::Grpc => grpc::WORKERS,
        }
    }

    fn app(self, workers: Workers) -> Router {
        match self {
            Self::Http => http::app(workers),
            Self::Grpc => grpc::app(workers),
        }
    }
}

/// A server on loopback with a switch for faults.
#[derive(Debug)]
pub(crate) struct Upstream {
    kind: Kind,
    error_share: f64,
    door: Door,
    fault: watch::Sender<Fault>,
    meter: Arc<Meter>,
    workers: Option<Workers>,
}

impl Upstream {
    /// Starts a healthy one on a free port; under `Fault::Errors` that share of its answers are errors.
    pub(crate) fn start(kind: Kind, error_share: f64) -> io::Result<Self> {
        let (fault, _) = watch::channel(Fault::None);
        let meter = Arc::new(Meter::default());
        let mut upstream = Self { kind, error_share, door: Door::new()?, fault, meter, workers: None };
        upstream.live()?;
        Ok(upstream)
    }

    /// Where it is, through all its lives.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// What it sees, through all its lives.
    pub(crate) const fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Turns the switch.
    pub(crate) async fn set(&mut self, fault: Fault) -> io::Result<()> {
        self.fault.send_replace(fault);
        if fault == Fault::Refused { self.die().await } else { self.live() }
    }

    fn live(&mut self) -> io::Result<()> {
        if self.workers.is_some() {
            return Ok(());
        }
        let (fault, meter) = (self.fault.subscribe(), Arc::clone(&self.meter));
        let workers = Workers::new(self.kind.workers(), self.error_share, fault, meter);
        self.door.open(self.kind.app(workers.clone()))?;
        self.workers = Some(workers);
        Ok(())
    }

    async fn die(&mut self) -> io::Result<()> {
        if let Some(workers) = self.workers.take() {
            workers.dismiss();
        }
        self.door.shut().await
    }
}
