//! The service at the bottom with nothing around it: the price of the loop itself.

use ::tower::layer::util::Identity;

use super::over_http;
use crate::inner::{Failed, immediate, pends_once};
use crate::{EverySecond, Job, Never, Row, repeat};

pub(super) fn job(row: Row) -> Option<Box<dyn Job>> {
    match row {
        // Nothing is refused and nothing is tried again without a pattern.
        Row::Open | Row::OpenBoxed | Row::RetryOnce | Row::RetryOnceBudget => None,
        Row::HalfFailing | Row::HalfFailing10 | Row::HalfFailing100000 | Row::HalfFailingTime => {
            Some(repeat::<EverySecond, _>(immediate::<Failed>()))
        }
        Row::Health => Some(repeat::<Never, _>(over_http(Identity::new()))),
        Row::TimeoutPending => Some(repeat::<Never, _>(pends_once::<Failed>())),
        _ => Some(repeat::<Never, _>(immediate::<Failed>())),
    }
}
