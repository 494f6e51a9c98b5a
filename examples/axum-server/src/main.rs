//! Serves a few routes behind every layer, until Ctrl-C.
//!
//! ```text
//! cargo run -p axum-server -- 127.0.0.1:3000
//! ```

#![expect(clippy::print_stdout, reason = "it says where it listens and what to try")]

use axum_server::{Policies, protect, routes};
use portcullis::{BoxError, Health, Registry};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    let address = listener.local_addr()?;
    let policies = Policies::new("shop", Registry::global())?;

    println!("listening on http://{address}");
    println!("  curl -i http://{address}/stock/tea      an answer");
    println!("  curl -i http://{address}/slow           504 after the timeout");
    println!("  curl -i http://{address}/broken         500; a few of them, and the breaker opens: 503");
    println!("  curl -i http://{address}/health         what the policies say; also /livez and /readyz");

    let app = protect(routes(), &policies);
    axum::serve(listener, app).with_graceful_shutdown(ctrl_c(policies.health)).await?;
    Ok(())
}

/// Ends with Ctrl-C, and says at once that no more traffic is wanted.
async fn ctrl_c(health: Health) {
    let _no_signals_here = tokio::signal::ctrl_c().await;
    health.set_ready(false);
}
