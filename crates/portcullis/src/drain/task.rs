//! What happens in time: the end of the announcement, and of the grace.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use portcullis_core::drain::{End, Phase};
use tokio::{sync::watch, time::timeout};

use super::state::Shared;

/// Leads from the announcement to the end; ends itself when the drain has ended, or has no handle any more.
pub(super) async fn run(drain: Weak<Shared>, mut phases: watch::Receiver<Phase>, announce: Duration) {
    if !is_up(&mut phases, Phase::Refusing, announce).await {
        return;
    }
    let Some(grace) = drain.upgrade().map(|drain: Arc<Shared>| drain.refuse()) else { return };
    if is_up(&mut phases, Phase::Ended, grace).await {
        if let Some(drain) = drain.upgrade() {
            drain.finish(End::Grace);
        }
    }
}

/// Whether this time passed, without the phase, or the end of all handles, having come before.
async fn is_up(phases: &mut watch::Receiver<Phase>, phase: Phase, time: Duration) -> bool {
    timeout(time, phases.wait_for(|now| *now >= phase)).await.is_err()
}
