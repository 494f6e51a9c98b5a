//! The live page: both sides, once per second, on loopback.
//!
//! ```text
//! let console = Console::serve(0, &schedule, wishes).await?;
//! println!("http://{}/", console.address());
//! ```
//!
//! Below it, under `/portcullis/`, is the console of the protected gateway's policies.

mod policies;
mod routes;

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use portcullis::Registry;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tower::BoxError;

use crate::schedule::{Fault, Schedule};
use crate::storm::Moment;
use crate::verdict::Verdict;

/// Moments that the page can look back on.
const MEMORY: usize = 120;

/// Everything the page shows.
#[derive(Clone, Debug, Default, Serialize)]
struct Story {
    /// Length of the schedule in seconds.
    seconds: f64,
    /// The last moments, oldest first.
    moments: VecDeque<Moment>,
    /// Whether the page may ask for faults.
    takes_wishes: bool,
    /// What came of it, once it is known.
    verdict: Option<Verdict>,
}

/// What the routes share.
#[derive(Clone, Debug)]
struct Shared {
    story: watch::Receiver<Arc<Story>>,
    wishes: mpsc::Sender<Fault>,
    takes_wishes: Arc<AtomicBool>,
}

/// A served console; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Console {
    address: SocketAddr,
    story: watch::Sender<Arc<Story>>,
    takes_wishes: Arc<AtomicBool>,
    server: JoinHandle<io::Result<()>>,
    token: String,
}

impl Console {
    /// Serves the page on loopback; faults that it asks for go to `wishes`. Below it are the policies of `registry`.
    pub(crate) async fn serve(
        port: u16,
        schedule: &Schedule,
        wishes: mpsc::Sender<Fault>,
        registry: &Registry,
    ) -> Result<Self, BoxError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let story = Story { seconds: schedule.end().as_secs_f64(), ..Story::default() };
        let (story, watched) = watch::channel(Arc::new(story));
        let takes_wishes = Arc::new(AtomicBool::new(false));
        let shared = Shared { story: watched, wishes, takes_wishes: Arc::clone(&takes_wishes) };
        let token = policies::token();
        let app = routes::router(shared).nest_service(policies::PATH, policies::router(registry, &token)?);
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { address, story, takes_wishes, server, token })
    }

    /// Where it is.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the policies are, and by which token they can be changed.
    pub(crate) fn policies(&self) -> (String, &str) {
        (format!("http://{}{}/", self.address, policies::PATH), &self.token)
    }

    /// Shows one more moment.
    pub(crate) fn publish(&self, moment: Moment) {
        self.story.send_modify(|story| {
            let story = Arc::make_mut(story);
            if story.moments.len() == MEMORY {
                story.moments.pop_front();
            }
            story.moments.push_back(moment);
        });
    }

    /// Shows the verdict.
    pub(crate) fn conclude(&self, verdict: &Verdict) {
        self.story.send_modify(|story| Arc::make_mut(story).verdict = Some(verdict.clone()));
    }

    /// From now on the page may ask for faults; before, the schedule alone decides.
    pub(crate) fn take_wishes(&self) {
        self.takes_wishes.store(true, Ordering::Relaxed);
        self.story.send_modify(|story| Arc::make_mut(story).takes_wishes = true);
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.server.abort();
    }
}
