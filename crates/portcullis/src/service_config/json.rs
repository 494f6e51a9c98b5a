//! Values of a document that know where they stand, read as the JSON mapping of proto3 has them.

use std::{ops::RangeInclusive, time::Duration};

use portcullis_core::GrpcCode;
use serde_json::Value;

use super::ServiceConfigError;

type Result<T> = std::result::Result<T, ServiceConfigError>;

/// A value, and where it stands.
pub(super) struct At<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> At<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The error that this value is.
    pub(super) fn not(&self, allowed: &str) -> ServiceConfigError {
        ServiceConfigError::new(&self.path, self.value, allowed)
    }

    /// A field, by its name in JSON or that in the proto file; `null` is as good as nothing.
    pub(super) fn field(&self, name: &str) -> Result<Option<Self>> {
        let Value::Object(fields) = self.value else { return Err(self.not("an object")) };
        let value = fields.get(name).or_else(|| fields.get(&snake_case(name)));
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Ok(value.filter(|value| !value.is_null()).map(|value| Self { value, path }))
    }

    /// A field that must be there, of which this is allowed.
    pub(super) fn required(&self, name: &str, allowed: &str) -> Result<Self> {
        let path = || if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        self.field(name)?.ok_or_else(|| ServiceConfigError::new(&path(), "missing", allowed))
    }

    /// The values of a field that is a list, which may be absent.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Self>> {
        self.field(name)?.map_or(Ok(Vec::new()), |list| list.items())
    }

    fn items(&self) -> Result<Vec<Self>> {
        let Value::Array(items) = self.value else { return Err(self.not("an array")) };
        let item = |(at, value)| Self { value, path: format!("{}[{at}]", self.path) };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// A text.
    pub(super) fn text(&self) -> Result<&'a str> {
        self.value.as_str().ok_or_else(|| self.not("a text"))
    }

    /// True or false.
    pub(super) fn flag(&self) -> Result<bool> {
        self.value.as_bool().ok_or_else(|| self.not("true or false"))
    }

    /// A whole number, which may also be a text.
    pub(super) fn whole(&self, range: RangeInclusive<u32>, allowed: &str) -> Result<u32> {
        let number = self.number().filter(|number| number.fract() == 0.0);
        // So that the cast keeps it as it is.
        let number = number.filter(|number| (0.0..=f64::from(u32::MAX)).contains(number));
        let number = number.map(|number| number as u32).filter(|number| range.contains(number));
        number.ok_or_else(|| self.not(allowed))
    }

    /// A number above zero, which may also be a text.
    pub(super) fn positive(&self, allowed: &str) -> Result<f64> {
        let number = self.number().filter(|number| number.is_finite() && *number > 0.0);
        number.ok_or_else(|| self.not(allowed))
    }

    fn number(&self) -> Option<f64> {
        match self.value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A duration within a range: decimal seconds, and an `s`.
    pub(super) fn duration(&self, range: RangeInclusive<Duration>, allowed: &str) -> Result<Duration> {
        let time = self.value.as_str().and_then(duration);
        time.filter(|time| range.contains(time)).ok_or_else(|| self.not(allowed))
    }

    /// A status code, by its number or its word.
    pub(super) fn code(&self) -> Result<GrpcCode> {
        let code = match self.value {
            Value::Number(number) => number.as_u64().and_then(GrpcCode::from_number),
            Value::String(word) => word.parse().ok(),
            _ => None,
        };
        code.ok_or_else(|| self.not("a status code, 0 to 16, or its name, such as \"UNAVAILABLE\""))
    }
}

fn snake_case(name: &str) -> String {
    name.chars().fold(String::new(), |mut snake, char| {
        if char.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
        snake
    })
}

/// Whole seconds and at most nine digits of a fraction, as proto3 writes a `Duration`.
fn duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if (1..=9).contains(&fraction.len()) => (whole, fraction),
        Some(_) => return None,
        None => (number, ""),
    };
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    // Twelve digits are the range of a proto3 duration.
    if whole.is_empty() || whole.len() > 12 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    Some(Duration::new(whole.parse().ok()?, format!("{fraction:0<9}").parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_proto3() {
        assert_eq!(duration("0s"), Some(Duration::ZERO));
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(duration("3.000000001s"), Some(Duration::new(3, 1)));
        for not in
            ["", "s", "1", "-1s", "+1s", "1.s", ".5s", "1.0000000001s", "1e3s", "1 s", "1ms", "1.-5s", "१s"]
        {
            assert_eq!(duration(not), None, "{not:?}");
        }
    }

    #[test]
    fn fields_go_by_either_name() {
        assert_eq!(snake_case("maxBackoff"), "max_backoff");
        let value = serde_json::json!({ "max_backoff": "1s", "timeout": null });
        let root = At::root(&value);
        assert_eq!(root.field("maxBackoff").unwrap().unwrap().path(), "maxBackoff");
        assert!(root.field("timeout").unwrap().is_none());
    }
}
