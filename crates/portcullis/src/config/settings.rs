//! What the settings of every policy have in common.

use super::form::Form;

/// How a field of a policy's configuration stands in a file.
pub(super) trait Field<T>: Form {
    /// What was given, where `base` is what there was.
    fn over(self, base: T) -> T;

    /// What there is.
    fn of(value: T) -> Self;
}

/// Most stand there as they are.
impl<T: Form> Field<T> for T {
    fn over(self, _: T) -> T {
        self
    }

    fn of(value: T) -> T {
        value
    }
}

/// For [`settings`] of a policy whose configuration has none.
pub(super) fn no_functions<C>(_: &C, config: C) -> C {
    config
}

/// Makes the settings `$name` of a policy of the fields of its `$Config`, but of those that are functions.
/// Where one becomes the other, neither is abbreviated, so that a field that either lacks does not compile.
///
/// `$keep` puts the functions of a configuration into another, which a preset has made. Without presets there is
/// none: `Name at "name" of Config; {} field: Type`.
macro_rules! settings {
    (
        $(#[$doc:meta])*
        $name:ident at $at:literal of $Config:ident, $Preset:ident;
        $keep:ident $functions:tt
        $($field:ident: $form:ty),* $(,)?
    ) => {
        impl $name {
            /// What fields are as that were not given.
            fn base(&self, base: &$Config) -> $Config {
                match self.preset {
                    Some(preset) => $keep(base, preset.config()),
                    None => base.clone(),
                }
            }
        }

        $crate::config::settings::settings!(@
            [$(#[$doc])*] $name, $at, $Config, [preset: $Preset], $functions, { $($field: $form),* }
        );
    };
    (
        $(#[$doc:meta])*
        $name:ident at $at:literal of $Config:ident;
        $functions:tt
        $($field:ident: $form:ty),* $(,)?
    ) => {
        $crate::config::settings::settings!(@
            [$(#[$doc])*] $name, $at, $Config, [], $functions, { $($field: $form),* }
        );
    };
    (@
        [$(#[$doc:meta])*] $name:ident, $at:literal, $Config:ident,
        [$($preset:ident: $Preset:ident)?], $functions:tt, { $($field:ident: $form:ty),* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($preset: Option<$Preset>,)?
            $($field: Option<$form>,)*
        }

        $crate::config::settings::conversions!($name, $Config, [$($preset)?], $functions, { $($field),* });

        impl $crate::config::form::Form for $name {
            fn expected(f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a table of settings")
            }

            fn table<'de, A: serde::de::MapAccess<'de>>(
                place: $crate::config::place::Place<'_>,
                mut map: A,
            ) -> Result<Self, A::Error> {
                $crate::config::fields::read_fields!(map, place, { $($preset,)? $($field),* });
                Ok(Self { $($preset,)? $($field),* })
            }

            fn write<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let Self { $($preset,)? $($field),* } = self;
                $crate::config::fields::write_fields!(to, stringify!($name), { $($preset,)? $($field),* })
            }
        }

        $crate::config::settings::serde!($name at $at);
    };
}

/// Between the settings of a policy and its configuration.
macro_rules! conversions {
    ($name:ident, $Config:ident, $preset:tt, { $($function:ident),* }, $fields:tt) => {
        $crate::config::settings::conversions!(@ $name, $Config, $preset, [$($function)*], $fields);
    };
    (@
        $name:ident, $Config:ident, [$($preset:ident)?], [$($function:ident)*], { $($field:ident),* }
    ) => {
        impl $name {
            /// What was given, and the rest from `base`.
            fn given_over(&self, base: $Config) -> $Config {
                let given = self.clone();
                $Config {
                    $($field: match given.$field {
                        Some(given) => $crate::config::settings::Field::over(given, base.$field),
                        None => base.$field,
                    },)*
                    $($function: base.$function,)*
                }
            }
        }

        /// Every field is given, and no preset.
        impl From<&$Config> for $name {
            fn from(config: &$Config) -> Self {
                let $Config { $($field,)* $($function: _,)* } = config.clone();
                Self {
                    $($preset: None,)?
                    $($field: Some($crate::config::settings::Field::of($field))
                        .filter($crate::config::form::Form::can_be_written),)*
                }
            }
        }
    };
}

/// For settings of a policy whose configuration has no functions: gives them `reload` all the same.
macro_rules! reload_is_build {
    ($name:ident, $Config:ty) => {
        impl $name {
            /// The configuration as [`build`](Self::build) has it. For a policy that runs, when its file has changed,
            /// and the same word for all of them: `current` has no functions that would have to stay.
            ///
            /// # Errors
            ///
            /// The first field outside its range.
            pub fn reload(&self, current: &$Config) -> Result<$Config, portcullis_core::ConfigError> {
                let _ = current;
                self.build()
            }
        }
    };
}

/// Reads and writes a type by its form.
macro_rules! serde {
    ($name:ident at $at:literal) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $crate::config::form::Form::write(self, to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let place = $crate::config::place::Place::of($at);
                serde::de::DeserializeSeed::deserialize($crate::config::place::Reader::new(place), from)
            }
        }
    };
}

pub(super) use {conversions, reload_is_build, serde, settings};
