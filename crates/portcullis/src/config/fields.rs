//! Reading and writing the fields of a table.

use serde::ser::SerializeStruct;

use super::form::{Form, Written};

/// Reads the fields of the table `$map`, which stands at `$place`, into variables of their names; each is
/// `None` if it is not there. The types are those that the variables are used as.
macro_rules! read_fields {
    ($map:ident, $place:expr, { $($field:ident),* $(,)? }) => {
        #[derive(serde::Deserialize)]
        #[serde(field_identifier)]
        #[expect(non_camel_case_types, reason = "named as the fields")]
        enum Key { $($field),* }

        $(let mut $field = None;)*
        while let Some(key) = $map.next_key()? {
            match key {
                $(Key::$field => {
                    if $field.is_some() {
                        return Err(serde::de::Error::duplicate_field(stringify!($field)));
                    }
                    let place = $place.field(stringify!($field));
                    $field = Some($map.next_value_seed($crate::config::place::Reader::new(place))?);
                })*
            }
        }
    };
}

/// Writes a table of these fields, of which those are left out that are `None`.
macro_rules! write_fields {
    ($to:ident, $name:expr, { $($field:ident),* $(,)? }) => {{
        use serde::ser::SerializeStruct;

        let given = [$($field.is_some()),*].into_iter().filter(|is| *is).count();
        let mut table = $to.serialize_struct($name, given)?;
        $($crate::config::fields::write_field(&mut table, stringify!($field), $field)?;)*
        table.end()
    }};
}

pub(super) use {read_fields, write_fields};

pub(super) fn write_field<T: Form, S: SerializeStruct>(
    table: &mut S,
    name: &'static str,
    value: &Option<T>,
) -> Result<(), S::Error> {
    match value {
        Some(value) => table.serialize_field(name, &Written(value)),
        None => table.skip_field(name),
    }
}
