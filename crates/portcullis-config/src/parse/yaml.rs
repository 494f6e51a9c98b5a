//! YAML, and most of JSON with it.

use saphyr::Scalar;
use saphyr_parser::{Event, Marker, Parser, ScanError, Span, StrInput};

use super::DEEPEST;
use crate::{
    Error, Place,
    node::{Node, Table, Value, insert},
};

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    start: &'a Place,
}

pub(super) fn parse(text: &str, start: &Place) -> Result<Node, Error> {
    let mut reader = Reader { parser: Parser::new_from_str(text), start };
    let mut document = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(document.unwrap_or_else(|| Node::empty(start.clone()))),
            (Event::DocumentStart(_), span) if document.is_some() => {
                return Err(Error::at(
                    reader.place(span.start),
                    "a file is one document, and this is a second",
                ));
            }
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
            (event, span) => document = Some(reader.node(event, span, 0)?),
        }
    }
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Error> {
        match self.parser.next() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(self.broken(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn broken(&self, error: &ScanError) -> Error {
        Error::at(self.place(*error.marker()), error.info())
    }

    fn place(&self, marker: Marker) -> Place {
        // The parser counts lines from 1, but columns from 0.
        self.start.at(marker.line().max(1), marker.col() + 1)
    }

    /// The value that begins with this event, `depth` tables and lists deep.
    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Error> {
        let place = self.place(span.start);
        if depth > DEEPEST {
            return Err(Error::at(place, format!("it stands in more than {DEEPEST} tables and lists")));
        }
        let value = match event {
            Event::Scalar(text, style, _, tag) => {
                match Scalar::parse_from_cow_and_metadata(text.clone(), style, tag.as_ref()) {
                    Some(scalar) => value(scalar),
                    None => return Err(Error::at(place, format!("`{text}` is not what its tag says"))),
                }
            }
            Event::SequenceStart(..) => Value::List(self.list(depth)?),
            Event::MappingStart(..) => Value::Table(self.table(depth)?),
            Event::Alias(_) => return Err(Error::at(place, "aliases are not followed: use `base`")),
            _ => return Err(Error::at(place, "a value is missing here")),
        };
        Ok(Node::new(value, place))
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Error> {
        let mut list = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(list),
                (event, span) => list.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn table(&mut self, depth: usize) -> Result<Table, Error> {
        let mut table = Table::new();
        loop {
            let (key, place) = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, _) => return Ok(table),
                (Event::Scalar(key, ..), span) => (key.into_owned(), self.place(span.start)),
                (_, span) => return Err(Error::at(self.place(span.start), "a name is expected here")),
            };
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + 1)?;
            insert(&mut table, key, place, node)?;
        }
    }
}

fn value(scalar: Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => Value::Flag(flag),
        Scalar::Integer(number) => Value::Integer(number),
        Scalar::FloatingPoint(number) => Value::Float(*number),
        Scalar::String(text) => Value::Text(text.into_owned()),
    }
}
