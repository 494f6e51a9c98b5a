//! Shows three providers of one thing: one hangs, one is rate limited, one is well.
//!
//! ```text
//! cargo run -p ai-providers
//! ```

#![expect(clippy::print_stdout, reason = "it shows what happens")]

use std::time::Duration;

use ai_providers::{DEADLINE, Providers, text};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use portcullis::{BoxError, Registry};
use tokio::time::{Instant, interval};
use tower::{Service as _, ServiceExt as _};
use upstream::Upstream;

/// How long it goes on.
const SHOWN: Duration = Duration::from_secs(4);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let [hanging, limited, well] = [Upstream::start()?, Upstream::start()?, Upstream::start()?];
    hanging.set_hanging(true);
    limited.set_quota(5);
    let registry = Registry::new();
    let address = |upstream: &Upstream| upstream.url("/").parse();
    let order = [("hanging", address(&hanging)?), ("limited", address(&limited)?), ("well", address(&well)?)];
    let providers = Providers::new(&order, &registry)?;

    println!("A hundred calls a second; each may take {DEADLINE:?}. The first provider hangs, the second");
    println!("answers five in a second, the third is well.");
    let (start, mut tick) = (Instant::now(), interval(Duration::from_millis(10)));
    let mut calls = Vec::new();
    while start.elapsed() < SHOWN {
        tick.tick().await;
        calls.push(tokio::spawn(call(providers.clone(), start.elapsed())));
    }
    let mut ended = Vec::new();
    for call in calls {
        ended.push(call.await?);
    }
    for second in 0..SHOWN.as_secs() {
        let calls: Vec<_> = ended.iter().filter(|call| call.at.as_secs() == second).collect();
        let failed = calls.iter().filter(|call| call.failed).count();
        println!("  second {}: {} calls, {failed} failed", second + 1, calls.len());
    }
    let mut took: Vec<_> = ended.iter().map(|call| call.took).collect();
    took.sort_unstable();
    println!(
        "Half took at most {:?}, 99 of 100 at most {:?}.",
        took[took.len() / 2],
        took[took.len() * 99 / 100]
    );
    println!("What happened: {:?}", providers.failover());
    let seen = [&hanging, &limited, &well].map(|upstream| upstream.seen().len());
    println!("What the three saw: {seen:?} requests");
    Ok(())
}

struct Ended {
    at: Duration,
    took: Duration,
    failed: bool,
}

async fn call(providers: Providers, at: Duration) -> Ended {
    let start = Instant::now();
    let answer = async {
        let request = Request::post("/chat").body(Full::new(Bytes::from("hello")))?;
        let response = providers.client().ready().await?.call(request).await?;
        match response.status().is_success() {
            true => text(response).await,
            false => Err(response.status().to_string().into()),
        }
    };
    let failed = answer.await.is_err();
    Ended { at, took: start.elapsed(), failed }
}
