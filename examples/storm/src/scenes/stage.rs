//! What the scenes are played on: an upstream, a client behind a breaker, and a voice.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use portcullis::breaker::{BreakerBuilder, State};
use portcullis::{Breaker, BreakerLayer, Registry, Rejection};
use tower::util::{BoxCloneSyncService, ServiceExt as _};
use tower::{BoxError, ServiceBuilder};

use crate::report::screen::Screen;
use crate::schedule::Fault;
use crate::upstream::{Kind, Upstream};

/// How one call ended.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The upstream answered well.
    Good,
    /// The upstream, or the way to it, failed.
    Failed,
    /// The breaker refused.
    Refused(Rejection),
}

/// The stage of one scene.
pub(crate) struct Stage {
    /// The breaker of the scene.
    pub(crate) breaker: Breaker,
    client: BoxCloneSyncService<Request<Empty<Bytes>>, StatusCode, BoxError>,
    upstream: Upstream,
    screen: Screen,
    uri: Uri,
    checks: u32,
    failed: u32,
}

impl Stage {
    /// Starts the upstream and builds the client.
    pub(crate) fn set_up(
        name: &str,
        shape: impl FnOnce(BreakerBuilder) -> BreakerBuilder,
    ) -> Result<Self, BoxError> {
        // All answers are errors under `Fault::Errors`: a story leaves nothing to chance.
        let upstream = Upstream::start(Kind::Http, 1.0)?;
        let breaker = shape(Breaker::builder(name).registry(&Registry::new())).build()?;
        let client = ServiceBuilder::new()
            .map_response(|answer: http::Response<_>| answer.status())
            .layer(BreakerLayer::new(breaker.clone()).http_client())
            .service(Client::builder(TokioExecutor::new()).build_http());
        let uri = format!("http://{}/stock", upstream.address()).parse()?;
        let client = BoxCloneSyncService::new(client);
        Ok(Self { breaker, client, upstream, screen: Screen::new(), uri, checks: 0, failed: 0 })
    }

    /// One call, told in one line.
    pub(crate) async fn call(&mut self) -> Result<Answer, BoxError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uri.clone();
        let (answer, told) = match self.client.clone().oneshot(request).await {
            Ok(StatusCode::OK) => (Answer::Good, "200 OK".to_owned()),
            Ok(status) => (Answer::Failed, status.to_string()),
            Err(error) => match Rejection::find(&*error) {
                Some(rejection) => (Answer::Refused(rejection.clone()), format!("refused: {rejection}")),
                None => (Answer::Failed, format!("failed: {error}")),
            },
        };
        self.line(&format!("    call: {told}  [{}]", self.breaker.state().as_str()))?;
        Ok(answer)
    }

    /// Calls until the breaker is open; the calls it took.
    pub(crate) async fn call_until_open(&mut self) -> Result<u32, BoxError> {
        // Far more than the rules need: a breaker that does not open must not keep the scene running.
        for calls in 1..=20 {
            self.call().await?;
            if self.breaker.state() == State::Open {
                return Ok(calls);
            }
        }
        Ok(u32::MAX)
    }

    /// Turns the upstream's switch.
    pub(crate) async fn set(&mut self, fault: Fault) -> Result<(), BoxError> {
        self.say(&format!("the upstream is now: {}", fault.name()))?;
        Ok(self.upstream.set(fault).await?)
    }

    /// Waits until an open breaker lets a probe through.
    pub(crate) async fn wait_for_probe(&mut self) -> Result<(), BoxError> {
        let wait = self.breaker.status().retry_in.unwrap_or(Duration::ZERO);
        self.say(&format!("{} ms pass", wait.as_millis()))?;
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Requests that the upstream saw.
    pub(crate) fn seen(&self) -> u64 {
        self.upstream.meter().seen()
    }

    /// A step of the story.
    pub(crate) fn say(&mut self, step: &str) -> io::Result<()> {
        self.line(&format!("  {step}"))
    }

    /// A condition that must hold here.
    pub(crate) fn check(&mut self, what: &str, holds: bool) -> io::Result<()> {
        self.checks += 1;
        self.failed += u32::from(!holds);
        self.line(&format!("    {} {what}", if holds { "ok  " } else { "FAIL" }))
    }

    /// The breaker must be in that state here.
    pub(crate) fn check_state(&mut self, state: State) -> io::Result<()> {
        self.check(&format!("the breaker is {}", state.as_str()), self.breaker.state() == state)
    }

    /// Any line.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.screen.line(text)
    }

    /// The last line; true if all checks held.
    pub(crate) fn finish(mut self) -> Result<bool, BoxError> {
        let held = self.checks - self.failed;
        self.line(&format!("{held} of {} checks hold", self.checks))?;
        Ok(self.failed == 0)
    }
}
