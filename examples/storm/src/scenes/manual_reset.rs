//! Opening, closing and isolating by hand.

use portcullis::breaker::State;
use tower::BoxError;

use super::stage::{Answer, Stage};
use crate::schedule::Fault;

pub(super) async fn play(stage: &mut Stage) -> Result<(), BoxError> {
    stage.set(Fault::Errors).await?;
    stage.call_until_open().await?;
    stage.set(Fault::None).await?;
    let refused = stage.call().await?;
    stage.check("it waits, because it cannot know", matches!(refused, Answer::Refused(_)))?;

    stage.say("reset: the operator knows")?;
    stage.breaker.reset();
    stage.check_state(State::Closed)?;
    let passed = stage.call().await?;
    stage.check("calls pass at once", matches!(passed, Answer::Good))?;

    stage.say("trip: open for the open time")?;
    stage.breaker.trip();
    stage.check_state(State::Open)?;
    stage.wait_for_probe().await?;
    let probe = stage.call().await?;
    stage.check("it comes back by itself", matches!(probe, Answer::Good))?;

    stage.say("isolate: closed to all, however long it takes")?;
    stage.breaker.isolate();
    tokio::time::sleep(2 * super::OPEN_FOR).await;
    let refused = stage.call().await?;
    stage.check("no probe, although the upstream is well", matches!(refused, Answer::Refused(_)))?;
    stage.check_state(State::Isolated)?;

    stage.say("release")?;
    stage.breaker.release();
    let passed = stage.call().await?;
    Ok(stage.check("calls pass again", matches!(passed, Answer::Good))?)
}
