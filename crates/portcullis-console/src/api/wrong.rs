//! What is wrong with settings, by field.

use portcullis_config::Error;
use serde_json::Value as Json;

use crate::problem::{FieldError, Problem};

/// Of each line of the settings, written in lines, the path of what stands there.
pub(super) fn paths(settings: &Json) -> Vec<String> {
    let mut lines = Vec::new();
    walk(settings, "", &mut lines);
    lines
}

/// As `serde_json` writes it: what is empty, and what is no table or list, in one line; else one for each end, too.
fn walk(value: &Json, path: &str, lines: &mut Vec<String>) {
    lines.push(path.to_owned());
    match value {
        Json::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, value)| walk(value, &below(path, name), lines));
            lines.push(path.to_owned());
        }
        Json::Array(items) if !items.is_empty() => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, value)| walk(value, &below(path, &at.to_string()), lines));
            lines.push(path.to_owned());
        }
        _ => {}
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The answer to settings that nobody can have.
pub(super) fn errors<'a>(wrong: impl Iterator<Item = &'a Error>, lines: &[String]) -> Problem {
    let wrong: Vec<_> = wrong.map(|error| one(error, lines)).collect();
    Problem::errors("nothing has changed: these settings cannot be", wrong)
}

fn one(error: &Error, lines: &[String]) -> FieldError {
    let place = error.place().and_then(|place| lines.get(place.line().checked_sub(1)?)).cloned();
    let ranged = error.out_of_range().zip(error.policy()).map(|(range, policy)| {
        let field = range.field().split_once('.').map_or(range.field(), |(_, field)| field);
        format!("{policy}.{field}")
    });
    let field = ranged.or(place).or_else(|| error.policy().map(str::to_owned)).unwrap_or_default();
    // A place in settings that nobody has written as they are read here would mislead.
    FieldError { field, message: error.what() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_path() {
        let settings = serde_json::json!({ "breaker": { "a": { "permits": 1, "empty": {} }, "b": { "list": [1, [2]] } } });
        let text = serde_json::to_string_pretty(&settings).unwrap();
        let paths = paths(&settings);
        assert_eq!(text.lines().count(), paths.len());
        for (line, path) in text.lines().zip(&paths) {
            let name = line.trim().strip_prefix('"').and_then(|rest| rest.split('"').next());
            assert!(name.is_none_or(|name| path.ends_with(name)), "{line} is not {path}");
        }
        assert!(
            paths.contains(&"breaker.a.permits".to_owned())
                && paths.contains(&"breaker.b.list.1.0".to_owned())
        );
    }
}
