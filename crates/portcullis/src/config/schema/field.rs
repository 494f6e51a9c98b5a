//! What a field may have, by the words that it is documented with.

use serde_json::{Value, json};

use super::{
    list::{Row, quoted},
    refer, words,
};

/// The kinds of value that a field may have, but for a table of [its own](super::list::Tree).
pub(super) fn values(row: &Row, of: &str, rows: &[Row]) -> Vec<Value> {
    let (value, mut any) = (row.value, Vec::new());
    // What comes after "for" is another field's word.
    let own = value.split(", for ").next().unwrap_or(value);
    let words: Vec<_> = quoted(own).filter_map(|word| word.strip_prefix('"')?.strip_suffix('"')).collect();
    if !words.is_empty() {
        any.push(json!({ "enum": words }));
    }
    if words.contains(&"off") {
        any.push(json!({ "const": false }));
    }
    if row.field == "preset" {
        any.extend(words::presets(of).map(|words| json!({ "enum": words })));
    }
    if value.contains("`true` or `false`") {
        any.push(json!({ "type": "boolean" }));
    }
    if value.starts_with("time") || value.contains("or a time") || value.contains("the time that is") {
        any.push(refer("time"));
    }
    any.extend(list(value));
    any.extend(table(row, rows));
    if let Some(schema) = number(row, rows) {
        any.push(schema);
    }
    any
}

/// A list, or a word of one.
fn list(value: &str) -> Option<Value> {
    let of = |items: Value| json!({ "type": "array", "items": items });
    Some(match value {
        _ if value.starts_with("a list of [kinds]") => of(refer("failure_kind")),
        _ if value.starts_with("a list of [codes]") => of(json!({ "enum": words::codes() })),
        _ if value.starts_with("a [kind]") => refer("failure_kind"),
        _ if value.starts_with("a list of [faults]") => with(of(refer("fault")), "maxItems", 100),
        _ if value.starts_with("a list of two times") => {
            with(with(of(refer("time")), "minItems", 2), "maxItems", 2)
        }
        _ if value.starts_with("up to 1000 times") => with(of(refer("time")), "maxItems", 1000),
        _ => return None,
    })
}

fn with(mut schema: Value, word: &str, value: u32) -> Value {
    schema[word] = value.into();
    schema
}

/// A table whose fields are listed elsewhere.
fn table(row: &Row, rows: &[Row]) -> Option<Value> {
    let by = |names: Value, values: Value| json!({ "type": "object", "propertyNames": { "enum": names }, "additionalProperties": values });
    Some(match row.value {
        "a table, or the `kind` alone" => {
            json!({ "anyOf": [refer("budget"), refer("budget/properties/kind")] })
        }
        value if value.starts_with("a table as in [a retry]") => refer("backoff"),
        value if value.starts_with("a table of failures by [kind]") => {
            by(words::failures().into(), bounded("integer", row, rows))
        }
        value if value.starts_with("a table of permits by [priority]") => {
            by(words::priorities().into(), json!({ "type": "integer", "minimum": 0 }))
        }
        value if value.starts_with("a table of shares of") => {
            by(words::priorities().into(), json!({ "type": "number", "minimum": 0, "maximum": 1 }))
        }
        value if value.starts_with("the name of a budget") => json!({ "type": "string" }),
        _ => return None,
    })
}

/// A number within its range.
fn number(row: &Row, rows: &[Row]) -> Option<Value> {
    let is_table = row.value.starts_with("a table") || row.value.starts_with("time");
    if row.range.is_empty() || is_table || row.range.contains('"') {
        return None;
    }
    let is_share = ["share", "chance", "factor"].iter().any(|word| row.value.starts_with(word));
    let has_point = |cell: &str| quoted(cell).any(|number| number.contains('.'));
    let low = quoted(row.range).next().and_then(|low| end(low, 0, rows));
    let is_whole = !is_share && !has_point(row.default) && low.is_none_or(|low| low.is_u64() || low.is_i64());
    Some(bounded(if is_whole { "integer" } else { "number" }, row, rows))
}

fn bounded(kind: &str, row: &Row, rows: &[Row]) -> Value {
    let mut schema = json!({ "type": kind });
    let mut ends = quoted(row.range);
    for (which, word) in ["minimum", "maximum"].into_iter().enumerate() {
        if let Some(end) = ends.next().and_then(|text| end(text, which, rows)) {
            schema[word] = end;
        }
    }
    schema
}

/// The end of a range: a number, or, where it is another field, that end of its own range.
fn end(text: &str, which: usize, rows: &[Row]) -> Option<Value> {
    if let Ok(number) = serde_json::from_str::<Value>(text) {
        return number.is_number().then_some(number);
    }
    let field = rows.iter().find(|row| row.field == text || row.field.ends_with(&format!(".{text}")))?;
    let own = quoted(field.range).nth(which)?;
    if own == text { None } else { end(own, which, rows) }
}
