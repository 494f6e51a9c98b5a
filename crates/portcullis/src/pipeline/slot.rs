//! The places of a pipeline as types, so that nothing gets to another's place.

use crate::registry::Member;

/// What can be given for a place: a policy's handle, its settings, or its layer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no business at the place `{Slot}` of a pipeline",
    note = "a place takes the handle of its kind of policy, its layer, or its settings"
)]
pub trait Fits<Slot>: Member {}

macro_rules! slots {
    ($($Slot:ident)*) => {
        $(
            #[doc = concat!("[`Place::", stringify!($Slot), "`](super::Place::", stringify!($Slot), ").")]
            #[derive(Clone, Copy, Debug)]
            pub struct $Slot(());
        )*
    };
}

slots! {
    Health Observe Drain Fallback Cache Deadline Coalesce LoadShed Retry Hedge Attempts Throttle RateLimit Breaker
    Bulkhead AdaptiveLimit Executor ThreadPool AttemptTimeout Chaos
}
