//! Settings from what stands in a file: an error knows the place of the value that it is about.

use std::collections::btree_map;

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{StrDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};

use crate::{
    Error, Place,
    node::{Field, Node, Table, Value},
};

impl<'de> Deserializer<'de> for Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let result = match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Flag(flag) => visitor.visit_bool(flag),
            Value::Integer(number) => visitor.visit_i64(number),
            Value::Float(number) => visitor.visit_f64(number),
            Value::Text(text) => visitor.visit_string(text),
            Value::List(list) => visitor.visit_seq(List(list.into_iter())),
            Value::Table(table) => visitor.visit_map(Fields::new(table)),
        };
        result.map_err(|error| error.or_at(&self.place))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

struct List(std::vec::IntoIter<Node>);

impl<'de> SeqAccess<'de> for List {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|node| seed.deserialize(node)).transpose()
    }
}

struct Fields {
    rest: btree_map::IntoIter<String, Field>,
    value: Option<Node>,
}

impl Fields {
    fn new(table: Table) -> Self {
        Self { rest: table.into_iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, Field { key, node })) = self.rest.next() else { return Ok(None) };
        self.value = Some(node);
        let name: StringDeserializer<Error> = name.into_deserializer();
        seed.deserialize(name).map(Some).map_err(|error| error.or_at(&key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(node) => {
                let place: Place = node.place.clone();
                seed.deserialize(node).map_err(|error| error.or_at(&place))
            }
            // Serde asks for a value only after its key.
            None => seed.deserialize(StrDeserializer::new("")),
        }
    }
}
