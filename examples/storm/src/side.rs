//! One side of the comparison: two upstreams, a gateway in front of them, and load on it.
//!
//! ```text
//! let mut side = Side::start(Variant::Unprotected, schedule).await?;
//! side.load(Instant::now(), &mut tasks)?;
//! side.set(Fault::Errors).await?;
//! ```

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use portcullis::{PolicyKind, Registry};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::BoxError;

use crate::gateway::{self, Gateway, protected, unprotected};
use crate::load::Load;
use crate::record::{Book, Recorder};
use crate::schedule::{Fault, Schedule, bucket_of};
use crate::upstream::{Kind, Upstream};

/// Requests per second to the route that calls the HTTP upstream: two fifths of what that can do.
const HTTP_RATE: u32 = 300;
/// Requests per second to the route that calls the gRPC upstream: two fifths of what that can do.
const GRPC_RATE: u32 = 100;

/// Share of the upstreams' answers that are errors while they are at fault.
const ERROR_SHARE: f64 = 0.9;

/// How the gateway of a side is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Clients as they come.
    Unprotected,
    /// Clients and router behind Portcullis.
    Protected,
}

impl Variant {
    /// Both, in the order of reports.
    pub(crate) const ALL: [Self; 2] = [Self::Unprotected, Self::Protected];

    fn router(self, http: SocketAddr, grpc: SocketAddr, registry: &Registry) -> Result<Router, BoxError> {
        match self {
            Self::Unprotected => Ok(gateway::router(unprotected::backends(http, grpc)?)),
            Self::Protected => {
                let backends = protected::backends(http, grpc, registry)?;
                protected::guard(gateway::router(backends), registry)
            }
        }
    }

    /// What its gateway answers.
    pub(crate) const fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Unprotected => &["/stock", "/echo"],
            Self::Protected => &["/stock", "/echo", "/health"],
        }
    }

    /// Its name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unprotected => "unprotected",
            Self::Protected => "protected",
        }
    }
}

/// What a side looks like right now, over the last second.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reading {
    /// Which side.
    pub(crate) side: &'static str,
    /// Good answers per second.
    pub(crate) goodput: f64,
    /// Median latency of all answers, in milliseconds.
    pub(crate) p50_ms: f64,
    /// 99th percentile of the latency of all answers, in milliseconds.
    pub(crate) p99_ms: f64,
    /// Requests per second that the upstreams saw.
    pub(crate) upstream: f64,
    /// Most requests that the upstreams held at once.
    pub(crate) held: u64,
    /// State of each breaker: `echo open, stock closed`.
    pub(crate) breakers: String,
}

/// What is left of a side when the storm is over.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Which side.
    pub(crate) name: &'static str,
    /// What its clients saw.
    pub(crate) book: Book,
    /// Requests that the upstreams saw, per bucket.
    pub(crate) upstream: Vec<u64>,
    /// Most requests that the upstreams held at once, per bucket.
    pub(crate) held: Vec<u64>,
}

/// Upstreams, gateway and records of one side.
#[derive(Debug)]
pub(crate) struct Side {
    variant: Variant,
    http: Upstream,
    grpc: Upstream,
    gateway: Gateway,
    registry: Registry,
    recorder: Arc<Recorder>,
    buckets: usize,
    upstream: Vec<u64>,
    held: Vec<u64>,
    seen: u64,
    since_reading: (u64, u64),
}

impl Side {
    /// Starts upstreams and gateway on free ports.
    pub(crate) async fn start(variant: Variant, schedule: &Schedule) -> Result<Self, BoxError> {
        let (http, grpc) =
            (Upstream::start(Kind::Http, ERROR_SHARE)?, Upstream::start(Kind::Grpc, ERROR_SHARE)?);
        let registry = Registry::new();
        let router = variant.router(http.address(), grpc.address(), &registry)?;
        Ok(Self {
            variant,
            http,
            grpc,
            gateway: Gateway::serve(router).await?,
            registry,
            recorder: Arc::new(Recorder::new(schedule.clone())?),
            buckets: bucket_of(schedule.end()),
            upstream: Vec::new(),
            held: Vec::new(),
            seen: 0,
            since_reading: (0, 0),
        })
    }

    /// Its name in reports.
    pub(crate) const fn name(&self) -> &'static str {
        self.variant.name()
    }

    /// How its gateway is built.
    pub(crate) const fn variant(&self) -> Variant {
        self.variant
    }

    /// The policies of its gateway; none, if it is not protected.
    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Address of its gateway.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.gateway.address())
    }

    /// Adds the load on both routes to `tasks`; it goes on until they are dropped.
    pub(crate) fn load(&self, start: Instant, tasks: &mut JoinSet<()>) -> Result<(), BoxError> {
        for (path, per_second) in [("stock", HTTP_RATE), ("echo", GRPC_RATE)] {
            let uri = format!("{}/{path}", self.url()).parse()?;
            let load = Load { uri, per_second, start, recorder: Arc::clone(&self.recorder) };
            tasks.spawn(load.drive());
        }
        Ok(())
    }

    /// Turns the switch of both upstreams.
    pub(crate) async fn set(&mut self, fault: Fault) -> io::Result<()> {
        self.http.set(fault).await?;
        self.grpc.set(fault).await
    }

    /// Closes a bucket of the upstreams' counts.
    pub(crate) fn close_bucket(&mut self) {
        let seen = self.http.meter().seen() + self.grpc.meter().seen();
        let new = seen - self.seen;
        self.seen = seen;
        let held = self.http.meter().take_peak() + self.grpc.meter().take_peak();
        // After the schedule nothing is kept, so that the storm can be served for ever.
        if self.upstream.len() < self.buckets {
            self.upstream.push(new);
            self.held.push(held);
        }
        self.since_reading = (self.since_reading.0 + new, self.since_reading.1.max(held));
    }

    /// What happened in the time since the last reading.
    pub(crate) fn read(&mut self, since: Duration) -> Result<Reading, BoxError> {
        let recent = self.recorder.take_recent()?;
        let (seen, held) = std::mem::take(&mut self.since_reading);
        let per_second = |count: u64| count as f64 / since.as_secs_f64();
        let millis = |share| (recent.quantile(share).as_secs_f64() * 1e4).round() / 10.0;
        Ok(Reading {
            side: self.name(),
            goodput: per_second(recent.counts.good),
            p50_ms: millis(0.5),
            p99_ms: millis(0.99),
            upstream: per_second(seen),
            held,
            breakers: self.breakers(),
        })
    }

    fn breakers(&self) -> String {
        let policies = self.registry.snapshot();
        let breakers = policies.iter().filter(|policy| policy.kind == PolicyKind::Breaker);
        let states: Vec<_> = breakers.map(|breaker| format!("{} {}", breaker.name, breaker.state)).collect();
        states.join(", ")
    }

    /// Everything recorded so far.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome {
            name: self.name(),
            book: self.recorder.book(),
            upstream: self.upstream.clone(),
            held: self.held.clone(),
        }
    }
}
