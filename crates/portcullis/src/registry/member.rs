//! Policies by their handles.

use std::sync::Weak;

use portcullis_core::Name;

use super::Policy;
use crate::RetryBudget;

/// What has a policy: its handle, or a layer of it. A [pipeline](crate::pipeline) knows its parts by this.
pub trait Member {
    /// The policy's name, and the policy for as long as it lives; neither, where there is none.
    fn member(&self) -> Option<(Name, Weak<dyn Policy>)>;

    /// What its attempts are paid from, when it makes any.
    fn budget(&self) -> Option<RetryBudget> {
        None
    }

    /// Whether what is given later for the same place of a pipeline takes its place, and is not refused as a second one.
    fn can_be_replaced(&self) -> bool {
        false
    }
}
