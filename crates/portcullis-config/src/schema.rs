//! A JSON Schema of a whole file.

use serde_json::{Map, Value, json};

use crate::{Parts, Section, section::KINDS};

/// A JSON Schema (2020-12) of a file: the settings of policies by kind and name, with what they may inherit. Editors
/// complete and check a file by it.
///
/// It marks nothing that would be taken. Of what would be refused it knows fields, words, types and the ranges of
/// numbers; that times are within their ranges, and fields fit each other, is checked when the file is read.
///
/// ```
/// let schema = portcullis_config::schema();
/// let breaker = &schema["$defs"]["named_breaker"]["properties"];
/// assert_eq!(breaker["window"]["maximum"], 1_000_000);
/// assert_eq!(breaker["base"]["type"], "string");
/// ```
pub fn schema() -> Value {
    let mut definitions = portcullis::config::schema::definitions();
    definitions.insert(Parts::KIND.into(), pipeline());
    for kind in KINDS {
        let named = named(definitions.get(*kind).cloned());
        definitions.insert(format!("named_{kind}"), named);
    }
    let mut properties = layer();
    properties.insert(
        "environments".into(),
        json!({
            "description": "Settings that differ in an environment, by its name.",
            "type": "object",
            "additionalProperties": closed(layer()),
        }),
    );
    // An editor may be told by the file where the schema is.
    properties.insert("$schema".into(), json!({ "type": "string" }));
    let mut schema = closed(properties);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "Settings of Portcullis".into();
    schema["$defs"] = definitions.into();
    schema
}

/// A policy, which may have another one as its base; of a kind of which no fields are known, any.
fn named(kind: Option<Value>) -> Value {
    let Some(mut policy) = kind else { return json!({}) };
    policy["properties"]["base"] = json!({
        "description": "The policy of this kind whose settings are those that are not given.",
        "type": "string",
    });
    policy
}

/// A pipeline: its side, and the names of its policies.
fn pipeline() -> Value {
    let name = |field: &str| {
        let of = if matches!(field, "deadline" | "attempt_timeout") { "timeout" } else { field };
        json!({ "description": format!("The name of a {of}."), "type": "string" })
    };
    let mut fields: Map<_, _> = Parts::NAMES.iter().map(|field| ((*field).to_owned(), name(field))).collect();
    fields.insert("kind".into(), json!({ "description": "Its side.", "enum": ["client", "server"] }));
    closed(fields)
}

/// The policies of each kind, and the defaults.
fn layer() -> Map<String, Value> {
    let by_kind = |of: fn(&str) -> Value| KINDS.iter().map(move |kind| ((*kind).to_owned(), of(kind)));
    let named = |kind: &str| {
        let policy = json!({ "$ref": format!("#/$defs/named_{kind}") });
        json!({ "type": "object", "additionalProperties": policy })
    };
    let mut layer: Map<_, _> = by_kind(named).collect();
    let defaults = by_kind(|kind| json!({ "$ref": format!("#/$defs/{kind}") }));
    layer.insert("defaults".into(), closed(defaults.collect()));
    layer
}

/// A table of these fields and no others.
fn closed(properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}
