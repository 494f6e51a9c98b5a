//! Why policies were stopped: texts by number, kept for as long as the process lives, so that a rejection needs no memory
//! and no lock for its reason.

use std::sync::{Mutex, OnceLock, PoisonError};

/// How much of a reason is kept, in bytes.
const MOST_BYTES: usize = 200;
/// How many different reasons one process keeps. A stop is rare, and made by people.
const MOST_REASONS: usize = 256;
/// What stands for all beyond these.
const OTHER: &str = "stopped by hand";
/// Why a policy refuses that was isolated alone.
pub(crate) const ISOLATED: &str = "isolated by hand";

static KEPT: [OnceLock<Box<str>>; MOST_REASONS] = [const { OnceLock::new() }; MOST_REASONS];
static ADDING: Mutex<()> = Mutex::new(());

/// The number of a reason, from 1; the same for the same reason.
pub(crate) fn number(why: &str) -> u32 {
    let end = (0..=why.len().min(MOST_BYTES)).rev().find(|end| why.is_char_boundary(*end)).unwrap_or(0);
    let why = &why[..end];
    let adding = ADDING.lock().unwrap_or_else(PoisonError::into_inner);
    let at = KEPT.iter().position(|kept| kept.get_or_init(|| why.into()).as_ref() == why);
    drop(adding);
    at.map_or(MOST_REASONS, |at| at) as u32 + 1
}

/// The reason of a number; `None` for 0.
pub(crate) fn text(number: u32) -> Option<&'static str> {
    let at = number.checked_sub(1)? as usize;
    Some(KEPT.get(at).and_then(OnceLock::get).map_or(OTHER, |why| why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_kept_once_and_cut_between_characters() {
        let long = "x".to_owned() + &"ü".repeat(150);
        assert_eq!(number(&long), number(&long));
        assert_eq!(text(number(&long)).map(str::len), Some(MOST_BYTES - 1));
        assert_eq!((text(0), text(u32::MAX)), (None, Some(OTHER)));
        assert_ne!(number("one"), number("two"));
    }
}
