//! The echo server itself: [`EchoService`].
//!
//! ```
//! # use echo_proto::{echo_server::EchoServer, service::EchoService};
//! let service = EchoService::default();
//! let server = EchoServer::new(service.clone());
//! assert_eq!(service.calls(), 0);
//! # drop(server);
//! ```

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{Stream, TryStreamExt as _, stream};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::echo_server::Echo;
use crate::{EchoReply, EchoRequest};

/// An [`Echo`] that obeys the fields of each request, and counts the calls it saw.
///
/// Clones share their counters. Nothing is bounded but by what the caller asks for: a stream is
/// made lazily, so a large `count` costs nothing until it is read.
#[derive(Clone, Debug, Default)]
pub struct EchoService {
    calls: Arc<AtomicU64>,
    failing: Option<(u64, Code)>,
}

impl EchoService {
    /// Fails the first `calls` calls with `code`, whatever their fields say.
    #[must_use]
    pub fn fail_first(mut self, calls: u64, code: Code) -> Self {
        self.failing = Some((calls, code));
        self
    }

    /// Calls of any method seen so far: one per attempt of a retrying client.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn enter(&self) -> Result<(), Status> {
        let before = self.calls.fetch_add(1, Ordering::Relaxed);
        match self.failing {
            Some((calls, code)) if before < calls => Err(Status::new(code, "one of the first calls")),
            _ => Ok(()),
        }
    }
}

#[tonic::async_trait]
impl Echo for EchoService {
    async fn unary(&self, request: Request<EchoRequest>) -> Result<Response<EchoReply>, Status> {
        self.enter()?;
        let request = request.into_inner();
        pause(&request).await;
        verdict(&request)?;
        Ok(Response::new(EchoReply { message: request.message, index: 0 }))
    }

    type ServerStreamStream = Pin<Box<dyn Stream<Item = Result<EchoReply, Status>> + Send>>;

    /// With `count` 0 a failure is trailers-only; else it comes in the trailers, after the replies.
    async fn server_stream(
        &self,
        request: Request<EchoRequest>,
    ) -> Result<Response<Self::ServerStreamStream>, Status> {
        self.enter()?;
        let request = request.into_inner();
        if request.count == 0 {
            pause(&request).await;
            verdict(&request)?;
        }
        Ok(Response::new(Box::pin(replies(request))))
    }

    /// Waits and fails as each message says, at the moment it is received.
    async fn client_stream(
        &self,
        request: Request<Streaming<EchoRequest>>,
    ) -> Result<Response<EchoReply>, Status> {
        self.enter()?;
        let mut messages = request.into_inner();
        let mut said = Vec::new();
        while let Some(request) = messages.try_next().await? {
            pause(&request).await;
            verdict(&request)?;
            said.push(request.message);
        }
        let index = u32::try_from(said.len()).unwrap_or(u32::MAX);
        Ok(Response::new(EchoReply { message: said.join(" "), index }))
    }
}

/// `count` replies, each after the delay, then the failure if one was asked for.
fn replies(request: EchoRequest) -> impl Stream<Item = Result<EchoReply, Status>> + Send {
    stream::try_unfold((0, request), async |(index, request)| {
        if index == request.count {
            return verdict(&request).map(|()| None);
        }
        pause(&request).await;
        let reply = EchoReply { message: request.message.clone(), index };
        Ok(Some((reply, (index + 1, request))))
    })
}

/// No timer for no delay: tokio would round it up to a millisecond.
async fn pause(request: &EchoRequest) {
    if request.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(request.delay_ms.into())).await;
    }
}

fn verdict(request: &EchoRequest) -> Result<(), Status> {
    match Code::from(request.fail_code) {
        Code::Ok => Ok(()),
        code => Err(Status::new(code, "failed as asked")),
    }
}
