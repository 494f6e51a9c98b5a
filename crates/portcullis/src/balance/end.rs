//! One endpoint, without its service: what calls on it hold.

use std::sync::Arc;

use portcullis_core::{
    Name,
    balance::{Load, Measure, key_hash},
    outlier::Endpoint,
};

use super::policy::Shared;
use crate::clock;

pub(super) struct End {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) load: Load,
    pub(super) measure: Measure,
    /// Of its name.
    pub(super) hash: u64,
    pub(super) outliers: Arc<Shared>,
}

impl End {
    pub(super) fn join(outliers: &Arc<Shared>, name: Name, weight: u32, measure: Measure) -> Arc<Self> {
        let hash = key_hash(&*name);
        let endpoint = outliers.fleet.join(name, weight, clock::now());
        outliers.waiters.wake_all();
        Arc::new(Self { endpoint, load: Load::default(), measure, hash, outliers: outliers.clone() })
    }

    pub(super) fn leave(&self) {
        let changes = self.outliers.fleet.leave(&self.endpoint, clock::now());
        self.outliers.waiters.wake_all();
        self.outliers.tell(changes);
    }
}
