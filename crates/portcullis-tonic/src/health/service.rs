//! The two methods.

use std::{
    fmt,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, future::select, stream};
use portcullis::drain::Phase;
use tokio::{sync::watch, time::sleep};
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server::Health,
};

use super::GrpcHealth;

/// How often who watches looks for changes that nobody tells.
const LOOK: Duration = Duration::from_secs(1);

/// What is told to who watches.
pub struct WatchStream(Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>);

impl Stream for WatchStream {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for WatchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WatchStream")
    }
}

#[tonic::async_trait]
impl Health for GrpcHealth {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        match self.is_serving(&service) {
            Some(serving) => Ok(Response::new(answer(status(Some(serving))))),
            None => Err(Status::not_found("unknown service")),
        }
    }

    type WatchStream = WatchStream;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<WatchStream>, Status> {
        let watcher = Watcher {
            service: request.into_inner().service,
            changes: self.changes(),
            health: self.clone(),
            told: None,
        };
        let told = stream::unfold(Some(watcher), |watcher| async {
            let mut watcher = watcher?;
            match watcher.next().await {
                Ok(status) => Some((Ok(answer(status)), Some(watcher))),
                Err(over) => Some((Err(over), None)),
            }
        });
        Ok(Response::new(WatchStream(Box::pin(told))))
    }
}

struct Watcher {
    service: String,
    health: GrpcHealth,
    changes: watch::Receiver<()>,
    told: Option<ServingStatus>,
}

impl Watcher {
    /// The status, when it is another than the one that was told last.
    async fn next(&mut self) -> Result<ServingStatus, Status> {
        loop {
            // Marked first: what changes while we look is looked at again.
            self.changes.mark_unchanged();
            let turned = self.health.0.rules.health.turned();
            let over = self.health.is_over();
            let now = status(self.health.is_serving(&self.service));
            if self.told != Some(now) {
                self.told = Some(now);
                return Ok(now);
            }
            if over {
                return Err(Status::unavailable("the server ends"));
            }
            self.change(turned).await;
        }
    }

    /// Ready when it is time to look again.
    async fn change(&mut self, turned: impl Future<Output = ()>) {
        let drain = self.health.0.rules.drain.clone();
        let refuses = async {
            match drain {
                Some(drain) => drain.reached(Phase::Refusing).await,
                None => std::future::pending().await,
            }
        };
        let (told, look) = (pin!(self.changes.changed()), pin!(sleep(LOOK)));
        // Whichever it was, we look again.
        let _ = select(select(pin!(refuses), pin!(turned)), select(told, look)).await;
    }
}

fn status(serving: Option<bool>) -> ServingStatus {
    match serving {
        Some(true) => ServingStatus::Serving,
        Some(false) => ServingStatus::NotServing,
        None => ServingStatus::ServiceUnknown,
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use portcullis::Registry;
    use tokio::time::Instant;

    use super::*;

    /// It was seen by looking, up to a second later.
    #[tokio::test(start_paused = true)]
    async fn who_watches_is_told_of_readiness_at_once() {
        let registry = Registry::new();
        let health = portcullis::Health::new(&registry);
        let grpc = GrpcHealth::new(&health, &registry);
        let asked = Request::new(HealthCheckRequest::default());
        let mut watch = grpc.watch(asked).await.unwrap().into_inner();
        assert_eq!(watch.next().await.unwrap().unwrap().status(), ServingStatus::Serving);

        let began = Instant::now();
        let turn = async {
            tokio::task::yield_now().await;
            health.set_ready(false);
        };
        let (told, ()) = tokio::join!(watch.next(), turn);
        assert_eq!(told.unwrap().unwrap().status(), ServingStatus::NotServing);
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
