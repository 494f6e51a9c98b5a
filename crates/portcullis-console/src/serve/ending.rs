//! The sign that a server ends.

use std::future::pending;

use tokio::sync::watch;

/// Gives the sign, at the latest when it is dropped.
pub(super) struct Sign(watch::Sender<bool>);

/// Waits for the sign; without one, forever.
#[derive(Clone, Default)]
pub(crate) struct Ending(Option<watch::Receiver<bool>>);

impl Sign {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(super) fn ending(&self) -> Ending {
        Ending(Some(self.0.subscribe()))
    }

    pub(super) fn give(&self) {
        self.0.send_replace(true);
    }
}

impl Ending {
    /// Ready when it ends, or whoever would say so is gone.
    pub(crate) async fn ended(&mut self) {
        match &mut self.0 {
            Some(sign) => drop(sign.wait_for(|ended| *ended).await),
            None => pending().await,
        }
    }
}
