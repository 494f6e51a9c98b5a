//! What is shown, in the words of JSON.

pub(crate) mod event;
mod record;

use portcullis::registry::Value;
use serde_json::Value as Json;

/// A measured value.
pub(crate) fn value(value: &Value) -> Json {
    match value {
        Value::Count(count) => (*count).into(),
        Value::Ratio(ratio) => (*ratio).into(),
        Value::Word(word) => (*word).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Flag(flag) => (*flag).into(),
    }
}
