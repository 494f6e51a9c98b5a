//! A hedge in numbers and words.

use portcullis_core::{Name, PolicyKind, health::Level, pipeline};

use super::HedgeStatus;
use crate::{
    metrics::{
        Measures,
        names::{HEDGE_CALLS, HEDGE_DELAY, HEDGES},
    },
    registry::{Snapshot, Value},
};

pub(super) fn measure(status: &HedgeStatus, into: &mut dyn Measures) {
    into.counter(&HEDGE_CALLS, &[], status.calls);
    for (result, total) in [
        ("won", status.won),
        ("lost", status.lost),
        ("failed", status.failed),
        ("denied", status.denied),
        ("over_time", status.over_time),
        ("not_replayable", status.not_replayable),
        ("shadowed", status.shadowed),
    ] {
        into.counter(&HEDGES, &[result], total);
    }
    if let Some(delay) = status.delay {
        into.gauge(&HEDGE_DELAY, &[], delay.as_secs_f64());
    }
}

pub(super) fn snapshot(name: &Name, status: &HedgeStatus) -> Snapshot {
    let spent = status.budget_available == 0;
    Snapshot {
        name: name.clone(),
        kind: PolicyKind::Hedge,
        state: if spent { "budget_spent" } else { "active" },
        level: if spent { Level::Warning } else { Level::Healthy },
        values: values(status),
    }
}

pub(super) fn values(status: &HedgeStatus) -> Vec<(&'static str, Value)> {
    let mut values = vec![
        ("mode", status.mode.as_str().into()),
        ("calls", status.calls.into()),
        ("sent", status.sent.into()),
        ("won", status.won.into()),
        ("lost", status.lost.into()),
        ("failed", status.failed.into()),
        ("denied", status.denied.into()),
        ("over_time", status.over_time.into()),
        ("not_replayable", status.not_replayable.into()),
        ("shadowed", status.shadowed.into()),
        ("budget_available", status.budget_available.into()),
    ];
    if let Some(delay) = status.delay {
        values.push(("delay_ms", (delay.as_millis() as u64).into()));
    }
    values
}

/// What others of a pipeline must know of a hedge.
pub(super) fn facts(config: &super::Config, budget: pipeline::Budget) -> pipeline::Facts {
    let delay = match &config.delay {
        super::Delay::Fixed(delay) => Some((*delay, *delay)),
        super::Delay::Percentile(percentile) => Some((percentile.at_least, percentile.at_most)),
        _ => None,
    };
    let what = pipeline::What::Hedge { max_attempts: config.max_attempts, delay, budget };
    pipeline::Facts { mode: config.mode, what }
}
