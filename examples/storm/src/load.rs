//! Open-loop load: requests start when they are due, whether or not earlier ones were answered.
//!
//! A closed loop slows down with the service it measures and so hides the pain; here the latency
//! counts from the moment a request was due, so that nothing is hidden.
//!
//! ```text
//! let load = Load { uri, per_second: 300, start: Instant::now(), recorder };
//! tokio::spawn(load.drive());
//! ```

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::record::{Outcome, Recorder, Sample};

/// A client gives up after that long; its request is lost.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

type HttpClient = Client<HttpConnector, Empty<Bytes>>;

/// One stream of requests at a fixed rate.
#[derive(Debug)]
pub(crate) struct Load {
    /// What is asked for.
    pub(crate) uri: Uri,
    /// How often.
    pub(crate) per_second: u32,
    /// When the storm started.
    pub(crate) start: Instant,
    /// Where answers are counted.
    pub(crate) recorder: Arc<Recorder>,
}

impl Load {
    /// Sends requests until dropped; those in flight are then dropped too.
    pub(crate) async fn drive(self) {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let mut flying = JoinSet::new();
        for number in 0_u64.. {
            let due = self.start + Duration::from_secs(1).mul_f64(number as f64 / f64::from(self.per_second));
            sleep_until(due).await;
            while flying.try_join_next().is_some() {}
            let (client, uri) = (client.clone(), self.uri.clone());
            let (start, recorder) = (self.start, Arc::clone(&self.recorder));
            flying.spawn(async move {
                let outcome = ask(&client, uri, due).await;
                recorder.note(Sample { arrived: due - start, took: due.elapsed(), outcome });
            });
        }
    }
}

/// One request, to the last byte of its answer.
async fn ask(client: &HttpClient, uri: Uri, due: Instant) -> Outcome {
    let exchange = async {
        let answer = client.get(uri).await.ok()?;
        let status = answer.status();
        answer.into_body().collect().await.ok()?;
        Some(status)
    };
    match timeout_at(due + PATIENCE, exchange).await {
        Ok(Some(StatusCode::OK)) => Outcome::Good,
        Ok(_) => Outcome::Bad,
        Err(_) => Outcome::Lost,
    }
}
