//! Ready-made checks, against what they look at.
#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

mod blocking;
#[cfg(all(feature = "checks", target_os = "linux"))]
mod disk;
#[cfg(feature = "http")]
mod http;
mod lag;
#[cfg(all(feature = "checks", target_os = "linux"))]
mod memory;
#[cfg(feature = "checks")]
mod tcp;

use portcullis::{
    HealthMonitor, Registry,
    check::Ask,
    monitor::{CheckPreset, CheckStatus},
};

/// What a monitor finds by this check.
pub(crate) async fn found(check: impl Ask) -> CheckStatus {
    let monitor = HealthMonitor::new(&Registry::new());
    monitor.check("x").preset(CheckPreset::OnDemand).spawn(check).unwrap();
    monitor.run_one("x").await.unwrap()
}
