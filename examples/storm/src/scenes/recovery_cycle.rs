//! Closed, open, half-open, closed: the whole way round.

use portcullis::breaker::State;
use tower::BoxError;

use super::stage::{Answer, Stage};
use crate::schedule::Fault;

pub(super) async fn play(stage: &mut Stage) -> Result<(), BoxError> {
    stage.check_state(State::Closed)?;

    stage.set(Fault::Refused).await?;
    stage.call_until_open().await?;
    stage.check_state(State::Open)?;

    stage.set(Fault::None).await?;
    let early = stage.call().await?;
    stage.check("it is not asked before its time", matches!(early, Answer::Refused(_)))?;

    stage.wait_for_probe().await?;
    let ticket = stage.breaker.try_admit();
    stage.check("the next call is let through as a probe", ticket.as_ref().is_ok_and(|t| t.is_probe()))?;
    stage.check_state(State::HalfOpen)?;
    stage.say("that probe is given up, which says nothing about the upstream")?;
    drop(ticket);
    stage.check_state(State::HalfOpen)?;

    let probe = stage.call().await?;
    stage.check("the next one succeeds", matches!(probe, Answer::Good))?;
    stage.check_state(State::Closed)?;
    Ok(stage.check("it opened once", stage.breaker.status().trips == 1)?)
}
