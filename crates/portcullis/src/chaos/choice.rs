//! Which requests may meet faults.

use std::hash::{DefaultHasher, Hash, Hasher};

#[cfg(feature = "http")]
use ::http::{HeaderName, Request};

/// Whether a request may meet faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Choice {
    /// If it is [enabled](super::Chaos::set_enabled).
    Switch,
    /// If it is enabled, and then as all requests of this key do.
    Key(u64),
    /// Whether or not it is enabled.
    On,
    /// Whether or not it is enabled, and then as all requests of this key do.
    OnKey(u64),
    /// No.
    Off,
}

/// Chooses the requests that may meet faults. Any function from a request to a [`Choice`] is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether requests `{Req}` may meet faults",
    note = "`.header(..)` needs an `http::Request`; `.only_if(..)` and `.by_key(..)` take a function of the \
            service's own request"
)]
pub trait Choose<Req> {
    /// Whether this one may.
    fn choose(&self, request: &Req) -> Choice;
}

impl<Req, F: Fn(&Req) -> Choice> Choose<Req> for F {
    fn choose(&self, request: &Req) -> Choice {
        self(request)
    }
}

/// All of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct All;

impl<Req> Choose<Req> for All {
    #[inline(always)]
    fn choose(&self, _: &Req) -> Choice {
        Choice::Switch
    }
}

/// Those of which a function says so.
#[derive(Clone, Copy, Debug)]
pub struct OnlyIf<C, F> {
    pub(super) others: C,
    pub(super) applies: F,
}

impl<Req, C: Choose<Req>, F: Fn(&Req) -> bool> Choose<Req> for OnlyIf<C, F> {
    fn choose(&self, request: &Req) -> Choice {
        if (self.applies)(request) { self.others.choose(request) } else { Choice::Off }
    }
}

/// Those of some keys.
#[derive(Clone, Copy, Debug)]
pub struct ByKey<C, F> {
    pub(super) others: C,
    pub(super) key: F,
}

impl<Req, C: Choose<Req>, F: Fn(&Req) -> K, K: Hash> Choose<Req> for ByKey<C, F> {
    fn choose(&self, request: &Req) -> Choice {
        let with_key = match self.others.choose(request) {
            Choice::Switch => Choice::Key,
            Choice::On => Choice::OnKey,
            other => return other,
        };
        // The same in every process, so that a customer's trouble follows from server to server.
        let mut hasher = DefaultHasher::new();
        (self.key)(request).hash(&mut hasher);
        with_key(hasher.finish())
    }
}

/// Those whose header says so.
#[cfg(feature = "http")]
#[derive(Clone, Debug)]
pub struct ByHeader<C> {
    pub(super) others: C,
    pub(super) name: HeaderName,
}

#[cfg(feature = "http")]
impl<B, C: Choose<Request<B>>> Choose<Request<B>> for ByHeader<C> {
    fn choose(&self, request: &Request<B>) -> Choice {
        match request.headers().get(&self.name).map(|value| value.as_bytes()) {
            // In the place of the switch, not of the key.
            Some(b"on") => match self.others.choose(request) {
                Choice::Key(key) | Choice::OnKey(key) => Choice::OnKey(key),
                _ => Choice::On,
            },
            Some(b"off") => Choice::Off,
            _ => self.others.choose(request),
        }
    }
}
