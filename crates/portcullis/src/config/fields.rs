//! Reading the fields of a table.

/// Reads the fields of the table `$map`, which stands at `$at`, into variables of their names; each is
/// `None` if it is not there. The types are those that the variables are used as.
macro_rules! read_fields {
    ($map:ident, $at:literal, { $($field:ident),* $(,)? }) => {
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
                    let reader = $crate::config::form::Reader::new(concat!($at, ".", stringify!($field)));
                    $field = Some($map.next_value_seed(reader)?);
                })*
            }
        }
    };
}

pub(super) use read_fields;
