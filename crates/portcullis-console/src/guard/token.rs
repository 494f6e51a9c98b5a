//! Who may change something.

use std::{fmt, sync::Arc};

use portcullis::ConfigError;
use subtle::{Choice, ConstantTimeEq};

/// Shorter secrets can be guessed: 16 bytes of base64 are 96 bits.
const LEAST_BYTES: usize = 16;
/// Longer ones only take time.
const MOST_BYTES: usize = 256;
/// Names are shown with each change.
const MOST_NAME_BYTES: usize = 64;

/// A secret with the name of who has it. Shown, it is the name alone.
pub(crate) struct Token {
    name: Arc<str>,
    secret: Box<[u8]>,
}

impl Token {
    /// Checks both. The errors never show the secret.
    pub(crate) fn new(name: &str, secret: &str) -> Result<Self, ConfigError> {
        let is_short = (1..=MOST_NAME_BYTES).contains(&name.len());
        if !is_short || name.chars().any(char::is_control) {
            return Err(ConfigError::new("console.token.name", name, "1 to 64 bytes of text in one line"));
        }
        if !(LEAST_BYTES..=MOST_BYTES).contains(&secret.len()) {
            let value = format!("{} bytes long", secret.len());
            return Err(ConfigError::new("console.token.secret", Shown(value), "16 to 256 bytes"));
        }
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::new(
                "console.token.secret",
                Shown("(hidden)".into()),
                "visible ASCII alone",
            ));
        }
        Ok(Self { name: name.into(), secret: secret.as_bytes().into() })
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether this is the secret. How long that takes depends on the secret's length, and on nothing of what was given.
    fn is(&self, given: &[u8]) -> Choice {
        let same_length = (self.secret.len() as u64).ct_eq(&(given.len() as u64));
        let bytes = self.secret.iter().enumerate();
        // What is missing is compared with something that is there, so that each byte costs the same.
        bytes.fold(same_length, |same, (at, byte)| same & byte.ct_eq(given.get(at).unwrap_or(&0)))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A text for an error, without quotes.
struct Shown(String);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of the token that this is the secret of. Every token is compared, whichever it is.
pub(crate) fn find<'a>(tokens: &'a [Token], given: &[u8]) -> Option<&'a Arc<str>> {
    let mut found = None;
    for token in tokens {
        if bool::from(token.is(given)) {
            found = Some(token.name());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    #[test]
    fn only_the_whole_secret_is_it() {
        let tokens = [Token::new("ops", SECRET).unwrap(), Token::new("ci", "fedcba9876543210").unwrap()];
        assert_eq!(find(&tokens, SECRET.as_bytes()).map(|name| &**name), Some("ops"));
        assert_eq!(find(&tokens, b"fedcba9876543210").map(|name| &**name), Some("ci"));
        let longer = format!("{SECRET}0");
        for wrong in ["", "0", &SECRET[1..], &SECRET[..15], &longer, "0123456789abcdeF", "0123456789abcde\0"]
        {
            assert!(find(&tokens, wrong.as_bytes()).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn a_secret_is_shown_nowhere() {
        let token = Token::new("ops", SECRET).unwrap();
        assert_eq!(format!("{token:?}"), r#"Token { name: "ops", .. }"#);
        let short = Token::new("ops", "hunter2").unwrap_err().to_string();
        assert_eq!(short, "console.token.secret is 7 bytes long: allowed is 16 to 256 bytes");
        let blank = Token::new("ops", "hunter2 hunter2 hunter2").unwrap_err().to_string();
        assert!(!blank.contains("hunter2"), "{blank}");
        assert!(Token::new("", SECRET).is_err() && Token::new("a\nb", SECRET).is_err());
    }
}
