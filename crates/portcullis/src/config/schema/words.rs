//! Words that are listed in the code alone.

use portcullis_core::{FailureKind, GrpcCode, Priority};
use serde_json::Value;

fn all<const N: usize>(words: [&'static str; N]) -> Vec<Value> {
    words.map(Value::from).to_vec()
}

/// The words of a kind's presets, if it has any.
pub(super) fn presets(of: &str) -> Option<Vec<Value>> {
    macro_rules! presets {
        ($($kind:literal: $Preset:path,)*) => {
            match of {
                $($kind => Some(all(<$Preset>::ALL.map(<$Preset>::as_str))),)*
                _ => None,
            }
        };
    }
    presets! {
        "breaker": portcullis_core::breaker::Preset,
        "retry": crate::retry::Preset,
        "hedge": portcullis_core::hedge::Preset,
        "bulkhead": portcullis_core::bulkhead::Preset,
        "keyed_bulkhead": portcullis_core::bulkhead::keyed::Preset,
        "rate_limit": portcullis_core::rate::Preset,
        "thread_pool": portcullis_core::pool::Preset,
        "cache": portcullis_core::cache::Preset,
        "health_check": crate::monitor::CheckPreset,
        "throttle": portcullis_core::throttle::Preset,
        "drain": portcullis_core::drain::Preset,
        "timeout": portcullis_core::timeout::Preset,
        "adaptive_limit": portcullis_core::adaptive::Preset,
        "load_shed": portcullis_core::shed::Preset,
        "outlier": portcullis_core::outlier::Preset,
    }
}

pub(super) fn failures() -> Vec<Value> {
    all(FailureKind::ALL.map(FailureKind::as_str))
}

pub(super) fn codes() -> Vec<Value> {
    all(GrpcCode::ALL.map(GrpcCode::as_str))
}

pub(super) fn priorities() -> Vec<Value> {
    all(Priority::ALL.map(Priority::as_str))
}

/// Documentation without its marks: an editor shows it as it is.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        // A link is its words; a list in brackets stays.
        match after.split_once("](").and_then(|(words, link)| Some((words, link.split_once(')')?.1))) {
            Some((words, after)) if !words.contains(']') => {
                plain.push_str(words);
                rest = after;
            }
            _ => {
                plain.push('[');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain.replace('`', "")
}
