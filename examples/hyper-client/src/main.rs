//! Shows hyper-util's client behind every layer, against an upstream that fails, dies and comes back.
//!
//! ```text
//! cargo run -p hyper-client
//! ```

#![expect(clippy::print_stdout, reason = "it shows what happens")]

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_client::{Client, Policies, client};
use portcullis::{BoxError, Probe, Registry};
use tower::{Service as _, ServiceExt as _};
use upstream::{Upstream, until};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let registry = Registry::new();
    let mut policies = Policies::new("inventory", &registry)?;
    // So that nobody has to wait for the demonstration.
    policies.probe = Probe::builder("inventory")
        .interval(Duration::from_millis(100))
        .interval_when_down(Duration::from_millis(100))
        .feed(&policies.breaker)
        .registry(&registry)
        .build()?;
    let mut upstream = Upstream::start()?;
    let mut client = client(&policies, upstream.url("/livez").parse()?);
    let url = upstream.url("/stock/7");

    println!("The upstream fails twice. A GET is tried again, and so is a PUT, with its body:");
    upstream.fail_next(2);
    show(&mut client, Method::GET, &url, "").await?;
    upstream.fail_next(2);
    show(&mut client, Method::PUT, &url, "twelve").await?;

    println!("A POST may have been processed, and is not:");
    upstream.fail_next(1);
    show(&mut client, Method::POST, &url, "twelve more").await?;

    println!("The upstream dies. The probe finds out, and the breaker opens before anybody calls:");
    upstream.kill().await?;
    until(|| policies.breaker.is_refusing()).await;
    show(&mut client, Method::GET, &url, "").await?;

    println!("It comes back. The probe finds that out too:");
    upstream.restart()?;
    until(|| !policies.breaker.is_refusing()).await;
    show(&mut client, Method::GET, &url, "").await?;

    println!("What the upstream saw: {:#?}", upstream.seen());
    Ok(())
}

/// Makes one call and says how it ended.
async fn show(client: &mut Client, method: Method, url: &str, body: &'static str) -> Result<(), BoxError> {
    let request = Request::builder().method(&method).uri(url).body(Full::new(Bytes::from(body)))?;
    match client.ready().await?.call(request).await {
        Ok(response) => {
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            println!("  {method}: {status} {}", String::from_utf8_lossy(&body));
        }
        Err(error) => println!("  {method}: {error}"),
    }
    Ok(())
}
