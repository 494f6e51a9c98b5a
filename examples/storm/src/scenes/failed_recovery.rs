//! A probe that fails opens the breaker again, until one succeeds.

use portcullis::breaker::State;
use tower::BoxError;

use super::stage::{Answer, Stage};
use crate::schedule::Fault;

pub(super) async fn play(stage: &mut Stage) -> Result<(), BoxError> {
    stage.set(Fault::Errors).await?;
    stage.call_until_open().await?;
    stage.check_state(State::Open)?;

    for round in 2..=3 {
        stage.wait_for_probe().await?;
        let seen = stage.seen();
        let probe = stage.call().await?;
        stage.check("the probe fails", matches!(probe, Answer::Failed))?;
        stage.check_state(State::Open)?;
        let refused = stage.call().await?;
        stage.check("the call after it is refused", matches!(refused, Answer::Refused(_)))?;
        stage.check("one request was all that the upstream had to bear", stage.seen() == seen + 1)?;
        stage.check(&format!("it opened {round} times"), stage.breaker.status().trips == round)?;
    }

    stage.set(Fault::None).await?;
    stage.wait_for_probe().await?;
    let probe = stage.call().await?;
    stage.check("the probe succeeds", matches!(probe, Answer::Good))?;
    Ok(stage.check_state(State::Closed)?)
}
