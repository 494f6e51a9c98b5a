//! Keys of keyed policies, written down.

use std::{any::Any, sync::Arc};

use portcullis_core::Name;

use super::{Kept, Saved};
use crate::keyed::{
    Key,
    many::{Many, OfMany},
};

/// Under which name the keys of a policy are written down.
const KEYS: &str = "keys";

/// A key whose text this is, for keys of text and of whole numbers. Others are not known by what they show.
pub(crate) fn key<K: 'static>(text: &str) -> Option<K> {
    fn of<T: 'static, K: 'static>(value: Option<T>) -> Option<K> {
        let value: Box<dyn Any> = Box::new(value?);
        value.downcast::<K>().ok().map(|key| *key)
    }
    of(Some(Box::<str>::from(text)))
        .or_else(|| of(Some(text.to_owned())))
        .or_else(|| of(Some(Arc::<str>::from(text))))
        .or_else(|| of(Some(Name::from(text))))
        .or_else(|| of(text.parse::<u64>().ok()))
        .or_else(|| of(text.parse::<u32>().ok()))
        .or_else(|| of(text.parse::<i64>().ok()))
        .or_else(|| of(text.parse::<u128>().ok()))
}

/// Writes down what there is of a key, if there is anything.
pub(crate) fn save(into: &mut Saved, key: &impl Key, what: impl FnOnce(&mut Saved)) {
    let mut saved = Saved::default();
    what(&mut saved);
    if !saved.is_empty() {
        *into.part(KEYS, &key.to_string()) = saved;
    }
}

/// The keys that are known by what was written down, with that.
pub(crate) fn kept<'a, K: 'static>(from: &Kept<'a>) -> impl Iterator<Item = (K, Kept<'a>)> + use<'a, K> {
    from.parts(KEYS).filter_map(|(text, kept)| Some((key(text)?, kept)))
}

impl<K: Key, P: OfMany> Many<K, P> {
    /// Writes all keys down.
    pub(crate) fn save_keys(&self, into: &mut Saved, each: impl Fn(&P, &mut Saved)) {
        self.for_each(|key, policy| save(into, key, |saved| each(policy, saved)));
    }

    /// Goes on with all keys for which there is room; whether with any.
    pub(crate) fn resume_keys(&self, from: &Kept<'_>, each: impl Fn(&P, &Kept<'_>) -> bool) -> bool {
        let resume = |(key, kept)| self.policy_of_key(key).is_some_and(|policy| each(&policy, &kept));
        // All of them, and not until the first.
        kept(from).map(resume).fold(false, |any, one| any | one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_text_and_numbers_are_known_by_what_they_show() {
        assert_eq!(key::<Box<str>>("a").as_deref(), Some("a"));
        assert_eq!(key::<String>("a").as_deref(), Some("a"));
        assert_eq!((key::<u64>("7"), key::<u64>("x"), key::<i64>("-7")), (Some(7), None, Some(-7)));
        assert_eq!(key::<std::net::IpAddr>("127.0.0.1"), None);
    }
}
