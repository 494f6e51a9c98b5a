//! One good probe is not enough when three are asked for.

use portcullis::breaker::State;
use tower::BoxError;

use super::stage::{Answer, Stage};
use crate::schedule::Fault;

pub(super) async fn play(stage: &mut Stage) -> Result<(), BoxError> {
    stage.set(Fault::Errors).await?;
    stage.call_until_open().await?;
    stage.set(Fault::None).await?;
    stage.wait_for_probe().await?;

    for success in 1..=2 {
        let probe = stage.call().await?;
        stage.check("the probe succeeds", matches!(probe, Answer::Good))?;
        stage.check_state(State::HalfOpen)?;
        let status = stage.breaker.status();
        stage.check(&format!("{success} of 3 successes"), status.probe_successes == success)?;
    }

    stage.set(Fault::Errors).await?;
    stage.call().await?;
    stage.say("a failure on the way means starting over")?;
    stage.check_state(State::Open)?;

    stage.set(Fault::None).await?;
    stage.wait_for_probe().await?;
    for _ in 1..=2 {
        stage.call().await?;
        stage.check_state(State::HalfOpen)?;
    }
    stage.call().await?;
    Ok(stage.check_state(State::Closed)?)
}
