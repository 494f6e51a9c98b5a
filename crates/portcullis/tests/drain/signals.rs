//! Signals to end.

use std::process::{self, Command};

use portcullis::drain::{End, Phase};
use tokio::signal::unix::{SignalKind, signal};

use super::support::{drain, secs, settle};

/// A hook begins the end, and then the process is told: that was taken for a second signal, and cut what was in flight.
#[tokio::test]
async fn the_first_signal_cuts_nobody_though_the_end_has_begun() {
    let drain = drain().announce(secs(0)).grace(secs(60)).build().unwrap();
    drain.on_terminate().unwrap();
    let mut told = signal(SignalKind::terminate()).unwrap();
    let running = drain.try_admit().unwrap();
    drain.begin();
    drain.signal().await;

    kill();
    told.recv().await.unwrap();
    settle().await;
    assert_eq!(drain.phase(), Phase::Refusing);

    kill();
    assert_eq!(drain.ended().await.by, End::Forced);
    drop(running);
}

fn kill() {
    let status = Command::new("sh").args(["-c", &format!("kill -TERM {}", process::id())]).status();
    assert!(status.unwrap().success());
}
