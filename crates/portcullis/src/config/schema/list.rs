//! The lists of fields, as they are documented.

use serde_json::{Map, Value, json};

use super::{field, words};

/// What the documentation says of a field.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// With those of the tables that it is in, by points.
    pub(super) field: &'static str,
    pub(super) value: &'static str,
    pub(super) default: &'static str,
    pub(super) range: &'static str,
}

impl Row {
    /// The rows of a list.
    pub(super) fn of(heading: &str) -> Vec<Self> {
        let heading = format!("# Fields of {heading}");
        let lines = include_str!("../fields.md").lines().skip_while(|line| *line != heading).skip(1);
        let rows = lines.take_while(|line| !line.starts_with("# "));
        rows.filter_map(|line| Self::read(line.strip_prefix("| `")?)).collect()
    }

    fn read(line: &'static str) -> Option<Self> {
        let mut cells = line.split('|').map(str::trim);
        let field = cells.next()?.trim_end_matches('`');
        Some(Self { field, value: cells.next()?, default: cells.next()?, range: cells.next()? })
    }

    /// Whether its table says nothing without it.
    fn is_required(&self) -> bool {
        // Where only one of several words asks for it, that is told where the settings are built.
        self.default == "must be given" && !self.value.contains("for the curve")
    }

    /// What an editor shows.
    pub(super) fn description(&self) -> String {
        let mut text = words::plain(self.value);
        if !self.range.is_empty() {
            text = format!("{text}; {}", words::plain(self.range));
        }
        match self.default {
            "must be given" => text + "; must be given",
            default => format!("{text}; by default {}", words::plain(default)),
        }
    }
}

/// What is between backquotes.
pub(super) fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Fields, and those of the tables in them.
#[derive(Debug, Default)]
pub(super) struct Tree<'a> {
    row: Option<&'a Row>,
    fields: Vec<(&'a str, Self)>,
}

impl<'a> Tree<'a> {
    pub(super) fn of(rows: &'a [Row]) -> Self {
        let mut tree = Self::default();
        for row in rows {
            tree.at(row.field).row = Some(row);
        }
        tree
    }

    fn at(&mut self, path: &'a str) -> &mut Self {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let known = self.fields.iter().position(|(name, _)| *name == first);
        let index = known.unwrap_or(self.fields.len());
        if known.is_none() {
            self.fields.push((first, Self::default()));
        }
        let field = &mut self.fields[index].1;
        match rest {
            Some(rest) => field.at(rest),
            None => field,
        }
    }

    /// The schema of a table of its fields.
    pub(super) fn object(&self, of: &str, rows: &[Row]) -> Value {
        let properties: Map<_, _> =
            self.fields.iter().map(|(name, field)| ((*name).to_owned(), field.schema(of, rows))).collect();
        let required = self.fields.iter().filter(|(_, field)| field.row.is_some_and(Row::is_required));
        let required: Vec<_> = required.map(|(name, _)| *name).collect();
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        if self.row.is_some_and(|row| row.value.contains("table of one of")) {
            (schema["minProperties"], schema["maxProperties"]) = (1.into(), 1.into());
        }
        schema
    }

    /// The schema of one of its fields.
    pub(super) fn child(&self, name: &str, of: &str, rows: &[Row]) -> Value {
        let child = self.fields.iter().find(|(field, _)| *field == name);
        child.map_or_else(|| json!({}), |(_, field)| field.schema(of, rows))
    }

    fn schema(&self, of: &str, rows: &[Row]) -> Value {
        // A table that is in the list only by its fields.
        let Some(row) = self.row else { return self.object(of, rows) };
        let mut any = field::values(row, of, rows);
        if !self.fields.is_empty() {
            any.push(self.object(of, rows));
        }
        let mut schema = match any.len() {
            1 => any.swap_remove(0),
            _ => json!({ "anyOf": any }),
        };
        schema["description"] = row.description().into();
        if let Some(default) = quoted(row.default).next().and_then(|text| serde_json::from_str(text).ok()) {
            schema["default"] = default;
        }
        schema
    }
}
