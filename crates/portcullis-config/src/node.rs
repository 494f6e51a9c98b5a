//! What stands in a file, each value with its place.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::{Error, Place};

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Flag(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Table(Table),
}

/// Fields by name.
pub(crate) type Table = BTreeMap<String, Field>;

/// A field: where its name stands, and what it is.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) key: Place,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn new(value: Value, place: Place) -> Self {
        Self { value, place }
    }

    /// An empty table.
    pub(crate) fn empty(place: Place) -> Self {
        Self::new(Value::Table(Table::new()), place)
    }

    /// The fields of a table; `what` says what that should be.
    pub(crate) fn into_table(self, what: &str) -> Result<Table, Error> {
        match self.value {
            Value::Table(table) => Ok(table),
            other => Err(Error::at(self.place, format!("{what} is {}, but must be a table", other.word()))),
        }
    }

    /// The text; `what` says what that should be.
    pub(crate) fn into_text(self, what: &str) -> Result<String, Error> {
        match self.value {
            Value::Text(text) => Ok(text),
            other => Err(Error::at(self.place, format!("{what} is {}, but must be a text", other.word()))),
        }
    }

    /// The place of the field with this path, or of the innermost table around it that there is.
    pub(crate) fn find<'a>(&self, mut path: impl Iterator<Item = &'a str>) -> &Place {
        match (&self.value, path.next()) {
            (Value::Table(table), Some(name)) => {
                table.get(name).map_or(&self.place, |field| field.node.find(path))
            }
            _ => &self.place,
        }
    }
}

impl Value {
    fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// The value alone, without its place.
impl Serialize for Node {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => to.serialize_unit(),
            Value::Flag(flag) => to.serialize_bool(*flag),
            Value::Integer(number) => to.serialize_i64(*number),
            Value::Float(number) => to.serialize_f64(*number),
            Value::Text(text) => to.serialize_str(text),
            Value::List(list) => to.collect_seq(list),
            Value::Table(table) => to.collect_map(table.iter().map(|(name, field)| (name, &field.node))),
        }
    }
}

/// Adds a field that is not there yet.
pub(crate) fn insert(table: &mut Table, name: String, key: Place, node: Node) -> Result<(), Error> {
    if let Some(first) = table.get(&name) {
        return Err(Error::at(key, format!("`{name}` was given already, at {}", first.key)));
    }
    table.insert(name, Field { key, node });
    Ok(())
}
