//! Serves a few routes behind every layer, until SIGTERM or Ctrl-C; then it finishes what is in flight.
//!
//! ```text
//! cargo run -p axum-server -- 127.0.0.1:3000
//! ```

#![expect(clippy::print_stdout, reason = "it says where it listens and what to try")]

use axum::routing::get;
use axum_server::{Policies, protect, routes};
use portcullis::{BoxError, Registry, check::Lag, metrics::Prometheus, monitor::CheckPreset};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    let address = listener.local_addr()?;
    let prometheus = Prometheus::install()?;
    let policies = Policies::new("shop", Registry::global())?;
    let check = |name: &'static str, preset| policies.monitor.check(name).preset(preset);
    check("runtime", CheckPreset::Resource).spawn(Lag::new())?;
    // A database would be asked here. The service cannot work without it: where it fails, `/readyz` does.
    check("database", CheckPreset::Essential).spawn(async || Ok::<_, BoxError>(()))?;

    println!("listening on http://{address}");
    println!("  curl -i http://{address}/stock/tea      an answer");
    println!("  curl -i http://{address}/slow           504 after the timeout");
    println!("  curl -i http://{address}/broken         500; a few of them, and the breaker opens: 503");
    println!("  curl -i http://{address}/health         policies and checks; also /livez and /readyz");
    println!(
        "  curl -i http://{address}/metrics        what Prometheus reads; alerts and a dashboard are in assets/"
    );

    // A second signal ends it at once.
    policies.drain.on_terminate()?;
    // Outside of the layers, so that it is there while they refuse. Where callers can reach it, give it another address.
    let metrics = get(async move || prometheus.response());
    let app = protect(routes(), &policies).route("/metrics", metrics);
    let server = axum::serve(listener, app).with_graceful_shutdown(policies.drain.signal());
    println!("{}", policies.drain.serve(server).await?);
    Ok(())
}
