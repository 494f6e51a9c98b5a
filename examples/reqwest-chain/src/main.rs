//! Shows a chain of middleware with every layer in its middle, against an upstream that fails and dies.
//!
//! ```text
//! cargo run -p reqwest-chain
//! ```

#![expect(clippy::print_stdout, reason = "it shows what happens")]

use portcullis::{BoxError, Registry};
use reqwest_chain::{ATTEMPT_HEADER, CountCalls, Policies, client};
use upstream::Upstream;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let policies = Policies::new("inventory", &Registry::new())?;
    let calls = CountCalls::default();
    // The upstream is on this machine. reqwest sends some requests again by itself; here that is left to
    // the layers.
    let bare = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build()?;
    let client = client(&policies, bare, &calls);
    let mut upstream = Upstream::start()?;

    println!("Two failures, then an answer:");
    upstream.fail_next(2);
    let response = client.put(upstream.url("/stock/7")).body("twelve").send().await?;
    let attempt = response.headers()[ATTEMPT_HEADER].to_str()?.to_owned();
    println!("  attempt {attempt}: {} {}", response.status(), response.text().await?);

    println!("The upstream dies: attempts that fail open the breaker, which then refuses.");
    upstream.kill().await?;
    for _ in 0..3 {
        if let Err(error) = client.get(upstream.url("/stock/7")).send().await {
            println!("  {error}");
        }
    }
    let (retries, refused) = (policies.retry.status().retries, policies.breaker.status().refused);
    println!("{} calls, {retries} retries, {refused} refused by the breaker", calls.count());
    println!("What the upstream saw: {:#?}", upstream.seen());
    Ok(())
}
