//! `seatbelt`: it has no limit and no load shedding, so that its timeout and its breaker are all that a server can have.

use std::{convert::Infallible, sync::Arc};

use ::seatbelt::{RecoveryInfo, ResilienceContext, breaker::Breaker, timeout::Timeout};
use ::tower::{ServiceBuilder, layer::layer_fn};
use anyhow::Result;
use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use axum_server::routes;
use tick::Clock;

use super::{PATIENCE, Variant};

pub(super) const LAYERS: Variant = Variant { name: "seatbelt", layers: "timeout, breaker", router };

type Answer = Result<Response, Infallible>;

fn router() -> Result<Router> {
    let context: ResilienceContext<Request, Answer> = ResilienceContext::new(Clock::new_tokio());
    let timeout = Timeout::layer("timeout", &context)
        .timeout(PATIENCE)
        .timeout_output(|_| Ok(StatusCode::GATEWAY_TIMEOUT.into_response()));
    let breaker = Breaker::layer("breaker", &context)
        .recovery_with(|answer, _| judge(answer))
        .rejected_input(|_, _| Ok(StatusCode::SERVICE_UNAVAILABLE.into_response()));
    let layers = Arc::new(ServiceBuilder::new().layer(timeout).layer(breaker));
    // They are no `Clone`, which axum wants.
    Ok(routes().layer(layer_fn(move |route| layers.service(route))))
}

fn judge(answer: &Answer) -> RecoveryInfo {
    match answer {
        Ok(response) if response.status().is_server_error() => RecoveryInfo::retry(),
        _ => RecoveryInfo::never(),
    }
}
