//! How retries and hedges know which calls may be made twice, by the types of their layers.

use std::any::TypeId;

use portcullis_core::pipeline::Repeats;

use crate::replay::{CloneReplay, Never};

/// For a layer with this replay and this rule.
pub(super) fn repeats<R: 'static, I: 'static>() -> Repeats {
    if TypeId::of::<I>() != TypeId::of::<Never>() {
        Repeats::Told
    } else if TypeId::of::<R>() == TypeId::of::<CloneReplay>() {
        Repeats::Unknown
    } else {
        Repeats::FromRequest
    }
}
