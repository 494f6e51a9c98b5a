//! Calls pass, failures open the breaker, and what it refuses never reaches the upstream.

use portcullis::breaker::State;
use tower::BoxError;

use super::stage::{Answer, Stage};
use super::{FAILURES, LONGEST_WAIT};
use crate::schedule::Fault;

pub(super) async fn play(stage: &mut Stage) -> Result<(), BoxError> {
    stage.say("the upstream is healthy")?;
    for _ in 0..3 {
        let answer = stage.call().await?;
        stage.check("the call passes", matches!(answer, Answer::Good))?;
    }
    stage.check_state(State::Closed)?;

    stage.set(Fault::Errors).await?;
    let calls = stage.call_until_open().await?;
    stage.check(&format!("it opens after {FAILURES} failures in a row"), calls == FAILURES)?;

    let seen = stage.seen();
    let Answer::Refused(rejection) = stage.call().await? else {
        return Ok(stage.check("an open breaker refuses", false)?);
    };
    stage.check("an open breaker refuses, and the upstream sees nothing", stage.seen() == seen)?;
    let told = rejection.retry_after().is_some_and(|wait| wait <= LONGEST_WAIT && !wait.is_zero());
    Ok(stage.check("the refusal says when to come back", told)?)
}
