//! What can be done to a policy by hand.

use std::fmt;

/// Something that can be done to a policy by hand, by the method of [`Policy`](super::Policy) of the same name.
///
/// Which of these mean something differs from policy to policy: [`Policy::actions`](super::Policy::actions) says it.
///
/// ```
/// use portcullis::{Breaker, PolicyKind, Registry, registry::Action};
///
/// let registry = Registry::new();
/// let breaker = Breaker::builder("inventory").registry(&registry).build()?;
/// let policy = registry.get(PolicyKind::Breaker, "inventory").ok_or("it lives")?;
/// assert!(policy.actions().contains(&Action::Trip));
/// policy.trip();
/// assert!(breaker.is_refusing());
/// # Ok::<(), portcullis::BoxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Opens a breaker, as if it had seen enough failures.
    Trip,
    /// Forgets what was seen, and begins anew.
    Reset,
    /// Refuses every call until it is released.
    Isolate,
    /// Ends an isolation.
    Release,
    /// Gives it another [mode](crate::Mode).
    Mode,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 5] = [Self::Trip, Self::Reset, Self::Isolate, Self::Release, Self::Mode];

    /// The action's word, as it stands in addresses and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trip => "trip",
            Self::Reset => "reset",
            Self::Isolate => "isolate",
            Self::Release => "release",
            Self::Mode => "mode",
        }
    }

    /// The action of this word, if it is one.
    ///
    /// ```
    /// use portcullis::registry::Action;
    ///
    /// assert_eq!(Action::from_word("reset"), Some(Action::Reset));
    /// assert_eq!(Action::from_word("Reset"), None);
    /// ```
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
