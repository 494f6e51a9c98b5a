//! The name of a policy.

use std::{fmt, ops::Deref, sync::Arc};

/// A policy's name: any text, cheap to clone.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::Name;
///
/// let name = Name::from("inventory");
/// assert_eq!(&*name, "inventory");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<Box<str>>); // thin: it is moved with every refusal

impl Name {
    /// The same name in memory of its own, for threads that should not share a reference count.
    pub fn detached(&self) -> Self {
        Self(Arc::new(self.0.as_ref().clone()))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self(Arc::new(name.into()))
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self(Arc::new(name.into()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
