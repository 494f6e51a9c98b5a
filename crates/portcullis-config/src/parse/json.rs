//! JSON, which is YAML but for one thing: characters that JSON escapes in two halves.

use std::borrow::Cow;

use super::yaml;
use crate::{Error, Place, node::Node};

pub(super) fn parse(text: &str, start: &Place) -> Result<Node, Error> {
    yaml::parse(&whole(text), start)
}

/// The same text with characters in one piece: what JSON writes as `\ud83d\ude00` is `\U0001F600` in YAML. A half that stands
/// alone stays, for the parser to refuse. Backslashes stand in texts only.
fn whole(text: &str) -> Cow<'_, str> {
    let mut rest = text;
    let mut done = String::new();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        done.push_str(before);
        match pair(escape) {
            Some(character) => {
                done.push_str(&format!("\\U{character:08X}"));
                rest = &escape["\\ud83d\\ude00".len()..];
            }
            None => {
                // With what is escaped, which may be a backslash.
                let length = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
                done.push_str(&escape[..length]);
                rest = &escape[length..];
            }
        }
    }
    if done.is_empty() {
        return Cow::Borrowed(text);
    }
    done.push_str(rest);
    Cow::Owned(done)
}

/// The character whose two halves this begins with.
fn pair(escape: &str) -> Option<u32> {
    let half = |at: usize| {
        let digits = escape.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u32::from_str_radix(digits, 16).ok())?
    };
    match (half(0)?, half(6)?) {
        (high @ 0xD800..=0xDBFF, low @ 0xDC00..=0xDFFF) => {
            Some(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_become_one_and_all_else_stays() {
        assert_eq!(whole(r#"{"\ud83d\ude00": "\\ud83d\\ude00"}"#), r#"{"\U0001F600": "\\ud83d\\ude00"}"#);
        assert_eq!(whole(r#"{"\\\uD83D\uDE00\u00e4"}"#), r#"{"\\\U0001F600\u00e4"}"#);
        for stays in [r"\ud83d", r"\ud83d\u0041", r"\ude00\ud83d", r"\ud83", "\\", r"\ü", r"\u+123\ude00"] {
            assert_eq!(whole(stays), stays);
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,40}|(\\\\|u|d83d|de00|ü){0,12}") {
            let _ = whole(&text);
        }
    }
}
