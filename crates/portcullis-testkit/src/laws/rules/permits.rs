//! Over hosts that hand out permits and panic when called without one.

use super::provoke::{self, Mood};
use crate::laws::{
    HostKind,
    bench::{Bench, Finding, Lab, When},
    exchange::Exchange,
    task::settle,
};

pub(super) async fn check<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    for mood in Mood::ALL {
        let circumstances = format!("while the inner service was {mood:?}");
        let (bench, _service) = provoke::drive(lab, mood).await.when(&circumstances)?;
        settle().await;
        judge(lab.host, &bench).when(&circumstances)?;
    }
    Ok(())
}

fn judge<X: Exchange>(host: HostKind, bench: &Bench<X>) -> Finding {
    let high_water = bench.script.tally().high_water;
    if host != HostKind::Mock && high_water > 1 {
        return Err(format!("{high_water} calls ran at once on one permit"));
    }
    bench.released().when("after all calls were answered")
}
