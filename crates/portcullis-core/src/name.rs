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
// Thin: it is moved with every refusal. `None` only while it is dropped.
pub struct Name(Option<Arc<Box<str>>>);

impl Drop for Name {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(name) = self.0.take() {
            release(name);
        }
    }
}

/// By value, and by an ABI that does not unwind: what drops a name is in every error and in every future. With the
/// name's address in it, or with the cleanup after a panic that never comes, a future is too large to be inlined
/// in those of the layers above.
#[inline(never)]
#[expect(
    improper_ctypes_definitions,
    reason = "Rust calls it; an ABI that does not unwind is what is wanted"
)]
extern "C" fn release(name: Arc<Box<str>>) {
    drop(name);
}

impl Name {
    /// The same name in memory of its own, for threads that should not share a reference count.
    pub fn detached(&self) -> Self {
        Self::from(&**self)
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_deref().map_or("", |name| name)
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self(Some(Arc::new(name.into())))
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self(Some(Arc::new(name.into())))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
