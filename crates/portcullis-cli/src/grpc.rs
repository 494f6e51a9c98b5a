//! Asks by gRPC.

use std::error::Error;

use tonic::{Code, transport::Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::health::Answer;

/// Asks once, over a connection of its own.
pub(crate) async fn ask(address: &str, service: &str) -> Result<Answer, Box<dyn Error + Send + Sync>> {
    let channel = Endpoint::from_shared(address.to_owned())?.connect().await?;
    let request = HealthCheckRequest { service: service.to_owned() };
    match HealthClient::new(channel).check(request).await {
        Ok(answer) => Ok(Answer::of_grpc(answer.into_inner().status())),
        Err(status) => Ok(Answer::none(match status.code() {
            Code::NotFound => format!("it knows no service {service:?}"),
            Code::Unimplemented => "it does not tell its health".to_owned(),
            code => format!("{code:?}: {}", status.message()),
        })),
    }
}
