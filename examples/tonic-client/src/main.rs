//! Shows a generated client behind every layer, while its server fails, dies and comes back.
//!
//! ```text
//! cargo run -p tonic-client
//! ```

#![expect(clippy::print_stdout, reason = "it shows what happens")]

use std::time::Duration;

use echo_proto::{EchoRequest, echo_client::EchoClient, echo_server::EchoServer, service::EchoService};
use portcullis::{BoxError, Breaker, Registry};
use tonic::{Code, Status, service::Routes, transport::Endpoint};
use tonic_client::{Guarded, Policies, client, pushback};
use upstream::Door;

/// So that nobody has to wait for the demonstration.
const OPEN_FOR: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let registry = Registry::new();
    let breaker = Breaker::builder("echo").open_for(OPEN_FOR).registry(&registry).build()?;
    let policies = Policies { breaker, ..Policies::new("echo", &registry)? };
    let echo = EchoService::default().fail_first(2, Code::Unavailable);
    let server = || Routes::new(EchoServer::new(echo.clone())).into_axum_router();
    let mut door = Door::new()?;
    let channel = Endpoint::from_shared(format!("http://{}", door.address()))?.connect_lazy();
    let mut client = client(&policies, channel);

    println!("The server fails twice; the third attempt succeeds:");
    door.open(server())?;
    show(&mut client).await;
    println!("  {} attempts", echo.calls());

    println!("The server is killed. Attempts that fail open the breaker, which then refuses at once:");
    door.shut().await?;
    for _ in 0..3 {
        show(&mut client).await;
    }

    println!("The server is back. The breaker finds out by itself, with the first calls after its time:");
    door.open(server())?;
    while let Some(status) = show(&mut client).await {
        tokio::time::sleep(pushback(&status).unwrap_or(OPEN_FOR)).await;
    }
    for _ in 0..2 {
        show(&mut client).await;
    }
    println!("  the breaker is {}", policies.breaker.state().as_str());
    Ok(())
}

/// Makes one call and says how it ended; returns what it failed with.
async fn show(client: &mut EchoClient<Guarded>) -> Option<Status> {
    let request = EchoRequest { message: "hello".into(), ..EchoRequest::default() };
    match client.unary(request).await {
        Ok(reply) => {
            println!("  {}", reply.into_inner().message);
            None
        }
        Err(status) => {
            println!("  {:?}: {}", status.code(), status.message());
            Some(status)
        }
    }
}
