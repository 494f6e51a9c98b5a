//! Shows reqwest's client behind every layer, against an upstream that fails and dies.
//!
//! ```text
//! cargo run -p reqwest-client
//! ```

#![expect(clippy::print_stdout, reason = "it shows what happens")]

use portcullis::{BoxError, Registry};
use reqwest_client::{Policies, over_http, plain};
use tower::{Service as _, ServiceExt as _};
use upstream::Upstream;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let registry = Registry::new();
    let mut upstream = Upstream::start()?;
    // The upstream is on this machine, and retries are left to the layers.
    let client = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build()?;

    println!("reqwest's own requests: two failures, then an answer.");
    let policies = Policies::new("inventory", &registry)?;
    let mut service = plain(&policies, client.clone());
    upstream.fail_next(2);
    let request = client.put(upstream.url("/stock/7")).body("twelve").build()?;
    let response = service.ready().await?.call(request).await?;
    println!("  {}: {}", response.status(), response.text().await?);

    println!("Requests of http: a failure, then a redirect, which is followed with the body.");
    let policies = Policies::new("orders", &registry)?;
    let mut service = over_http(&policies, client);
    upstream.fail_next(1);
    let request = http::Request::put(upstream.url("/moved")).body("twelve".into())?;
    let response = reqwest::Response::from(service.ready().await?.call(request).await?);
    let path = response.url().path().to_owned();
    println!("  {} from {path}: {}", response.status(), response.text().await?);

    println!("The upstream dies: attempts that fail open the breaker, which then refuses.");
    upstream.kill().await?;
    for _ in 0..3 {
        let request = http::Request::get(upstream.url("/stock/7")).body(reqwest::Body::default())?;
        if let Err(error) = service.ready().await?.call(request).await {
            println!("  {error}");
        }
    }
    println!("What the upstream saw: {:#?}", upstream.seen());
    Ok(())
}
