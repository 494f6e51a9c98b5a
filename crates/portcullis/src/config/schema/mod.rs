//! A JSON Schema of the settings, by which editors complete and check files while they are written.
//!
//! It is made of [the lists of fields](crate::config#fields-of-a-breaker), of which tests say that they are what the
//! code does. A schema cannot hold a time against a range, nor a field against another: these are told in the
//! description, and checked where the settings are built.
//!
//! ```
//! let schemas = portcullis::config::schema::definitions();
//! let permits = &schemas["breaker"]["properties"]["permits"];
//! assert_eq!((&permits["minimum"], &permits["maximum"]), (&1.into(), &1000.into()));
//! ```

mod field;
mod list;
mod words;

use serde_json::{Map, Value, json};

use list::{Row, Tree};

/// Which list of fields is of which table in a file.
const LISTS: [(&str, &str); 23] = [
    ("a breaker", "breaker"),
    ("a retry", "retry"),
    ("a hedge", "hedge"),
    ("a bulkhead", "bulkhead"),
    ("a keyed bulkhead", "keyed_bulkhead"),
    ("a rate limit", "rate_limit"),
    ("a pool of threads", "thread_pool"),
    ("a cache", "cache"),
    ("coalescing", "coalesce"),
    ("a health check", "health_check"),
    ("a probe", "probe"),
    ("a throttle", "throttle"),
    ("a drain", "drain"),
    ("a timeout", "timeout"),
    ("an adaptive limit", "adaptive_limit"),
    ("a load shedding", "load_shed"),
    ("the ejection of outliers", "outlier"),
    ("an observer", "observer"),
    ("a fallback", "fallback"),
    ("reconnecting", "reconnect"),
    ("chaos", "chaos"),
    ("a fault", "fault"),
    ("a budget", "budget"),
];

/// The schema of the settings of each kind of policy, by the kind's name, and of what these have in common. They refer
/// to each other as `#/$defs/NAME`.
pub fn definitions() -> Map<String, Value> {
    let mut definitions = Map::new();
    for (heading, name) in LISTS {
        let rows = Row::of(heading);
        let tree = Tree::of(&rows);
        let mut schema = tree.object(name, &rows);
        if name == "retry" {
            // That of others is the same.
            definitions.insert("backoff".into(), tree.child("backoff", name, &rows));
            schema["properties"]["backoff"] = refer("backoff");
        }
        definitions.insert(name.into(), schema);
    }
    definitions.insert("time".into(), time());
    definitions.insert("failure_kind".into(), json!({ "enum": words::failures() }));
    definitions
}

/// A word of the schema for another one.
fn refer(to: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{to}") })
}

fn time() -> Value {
    json!({
        "description": "A time with its unit, hours at most, such as \"250ms\" or \"1m 30s\".",
        "type": "string",
        "pattern": "^\\s*\\+?\\s*[0-9.]",
    })
}
