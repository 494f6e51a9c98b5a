//! Serves gRPC behind a drain, a breaker, a bulkhead and a timeout, until SIGTERM or Ctrl-C; then it finishes what is
//! in flight.
//!
//! ```text
//! cargo run -p tonic-server -- 127.0.0.1:50051
//! ```

#![expect(clippy::print_stdout, reason = "it says where it listens")]

use echo_proto::service::EchoService;
use portcullis::{BoxError, Registry};
use tokio::net::TcpListener;
use tonic_server::{Policies, serve};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:50051".to_owned());
    let listener = TcpListener::bind(&address).await?;
    let policies = Policies::new("echo", Registry::global())?;

    println!("listening on http://{}", listener.local_addr()?);
    println!("  echo.v1.Echo/Unary with delay_ms over 1000 exceeds its deadline;");
    println!("  a few with fail_code 13 open the breaker. Ctrl-C ends.");
    // A second signal ends it at once.
    policies.drain.on_terminate()?;
    println!("{}", serve(listener, EchoService::default(), &policies).await?);
    println!("{:#?}", policies.breaker.status());
    Ok(())
}
