//! What a breaker tells about itself, state by state.

use std::time::Duration;

use portcullis::breaker::State;
use tower::BoxError;

use super::stage::Stage;
use super::{FAILURES, LONGEST_WAIT};
use crate::schedule::Fault;

pub(super) async fn play(stage: &mut Stage) -> Result<(), BoxError> {
    stage.call().await?;
    stage.call().await?;
    show(stage)?;
    let status = stage.breaker.status();
    stage.check("two successes, no failure", (status.successes, status.failures) == (2, 0))?;
    stage.check("closed since the scene began", status.since < Duration::from_secs(10))?;
    stage.check("no wait while closed", status.retry_in.is_none())?;

    stage.set(Fault::Errors).await?;
    stage.call_until_open().await?;
    stage.call().await?;
    show(stage)?;
    let status = stage.breaker.status();
    stage.check("it is open, for the first time", (status.state, status.trips) == (State::Open, 1))?;
    stage.check("all failures are counted", status.failures == u64::from(FAILURES))?;
    stage.check("so is the refusal", status.refused == 1)?;
    stage.check("the last failure is known", status.last_failure.is_some())?;
    stage.check("it says when it will probe", status.retry_in.is_some_and(|wait| wait <= LONGEST_WAIT))?;

    stage.set(Fault::None).await?;
    stage.wait_for_probe().await?;
    stage.call().await?;
    show(stage)?;
    let status = stage.breaker.status();
    stage.check(
        "closed again, after three transitions",
        (status.state, status.transitions) == (State::Closed, 3),
    )?;
    Ok(stage.check("the window starts empty", status.window_failures == 0)?)
}

fn show(stage: &mut Stage) -> Result<(), BoxError> {
    let status = stage.breaker.status();
    stage.line(&format!(
        "    status: {} for {} ms, {} of the last {} calls failed ({:.0} %), last failure {}",
        status.state.as_str(),
        status.since.as_millis(),
        status.window_failures,
        status.window_calls,
        status.failure_ratio() * 100.0,
        status.last_failure.map_or("none", |kind| kind.as_str()),
    ))?;
    stage.line(&format!(
        "            in total {} ok, {} failed, {} refused, opened {} times, probes in {} ms",
        status.successes,
        status.failures,
        status.refused,
        status.trips,
        status.retry_in.map_or_else(|| "-".to_owned(), |wait| wait.as_millis().to_string()),
    ))?;
    Ok(())
}
