//! What somebody did by hand.

use std::{fmt, sync::Arc};

/// How much of each text is kept, in characters: an event is kept many times, and a text may come from outside.
const MOST_CHARS: usize = 200;

/// Who did what to a policy by hand, and why.
///
/// A policy does not know who calls it: whoever lets people change policies tells it, by
/// [`Registry::audit`](crate::Registry::audit). It prints itself as it reads after the policy's name: "was isolated by
/// ops: the vault is open".
///
/// ```
/// use portcullis::event::Audit;
///
/// let audit = Audit::new("ops", "isolated").because("the vault\nis open");
/// assert_eq!(audit.to_string(), "was isolated by ops: the vault is open");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    by: Arc<str>,
    action: Arc<str>,
    why: Option<Arc<str>>,
}

impl Audit {
    /// `by` is who did it, such as the name of a token; never the token itself. `action` is what was done, as it reads
    /// after "was": "isolated", "set to shadow". Of each the first 200 characters are kept, and what is no character to
    /// print becomes a space, so that nobody can write lines of a log.
    pub fn new(by: &str, action: &str) -> Self {
        Self { by: printable(by), action: printable(action), why: None }
    }

    /// Why, in the words of who did it, kept as the others are; nothing for an empty text.
    #[must_use]
    pub fn because(self, why: &str) -> Self {
        let why = why.trim();
        Self { why: (!why.is_empty()).then(|| printable(why)), ..self }
    }

    /// Who did it.
    pub fn by(&self) -> &str {
        &self.by
    }

    /// What was done, as it reads after "was".
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Why, if it was said.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }
}

fn printable(text: &str) -> Arc<str> {
    let plain = |c: char| if c.is_control() || is_line_end(c) { ' ' } else { c };
    text.chars().take(MOST_CHARS).map(plain).collect::<String>().into()
}

/// Ends a line for some readers, and is no control character.
const fn is_line_end(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "was {} by {}", self.action, self.by)?;
        match self.why() {
            Some(why) => write!(f, ": {why}"),
            None => Ok(()),
        }
    }
}
