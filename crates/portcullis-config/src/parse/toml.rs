//! TOML.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::{
    Error, Place,
    node::{Node, Table, Value, insert},
};

struct Text<'a> {
    text: &'a str,
    start: &'a Place,
}

pub(super) fn parse(text: &str, start: &Place) -> Result<Node, Error> {
    let of = Text { text, start };
    let table = DeTable::parse(text).map_err(|error| {
        let place = error.span().map_or_else(|| start.clone(), |span| of.place(&span));
        Error::at(place, error.message())
    })?;
    Ok(Node::new(Value::Table(of.table(table.into_inner())?), start.clone()))
}

/// What a single value is, and the text itself if that is no value.
pub(super) fn value(text: &str, start: &Place) -> Node {
    let value =
        DeValue::parse(text).ok().and_then(|value| Text { text, start }.value(value.into_inner()).ok());
    Node::new(value.unwrap_or_else(|| Value::Text(text.to_owned())), start.clone())
}

impl Text<'_> {
    fn place(&self, span: &Range<usize>) -> Place {
        self.start.at_byte(self.text, span.start)
    }

    fn table(&self, table: DeTable<'_>) -> Result<Table, Error> {
        let mut fields = Table::new();
        for (key, value) in table {
            let place = self.place(&key.span());
            let node = self.node(value.span(), value.into_inner())?;
            insert(&mut fields, key.into_inner().into_owned(), place, node)?;
        }
        Ok(fields)
    }

    fn node(&self, span: Range<usize>, value: DeValue<'_>) -> Result<Node, Error> {
        let place = self.place(&span);
        let value = self.value(value).map_err(|error| error.or_at(&place))?;
        Ok(Node::new(value, place))
    }

    fn value(&self, value: DeValue<'_>) -> Result<Value, Error> {
        Ok(match value {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Boolean(flag) => Value::Flag(flag),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => return Err(Error::message(format!("the number {} is too large", number.as_str()))),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => Value::Float(number),
                Err(_) => return Err(Error::message(format!("{} is no number", number.as_str()))),
            },
            DeValue::Datetime(date) => Value::Text(date.to_string()),
            DeValue::Array(list) => {
                let nodes = list.into_iter().map(|value| self.node(value.span(), value.into_inner()));
                Value::List(nodes.collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => Value::Table(self.table(table)?),
        })
    }
}
