//! What a call takes along when it runs elsewhere, and what is told of it when it panics there.

use std::{any::Any, sync::Arc};

use portcullis_core::Time;

use crate::current;

/// So many characters are told of a panic.
const MOST_TOLD: usize = 256;

/// What a call finds elsewhere as it was where it came from: its deadline and its span.
pub(crate) struct Carried {
    deadline: Option<Time>,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Carried {
    /// That of the calling code.
    pub(crate) fn current() -> Self {
        Self {
            deadline: current::current(),
            #[cfg(feature = "tracing")]
            span: tracing::Span::current(),
        }
    }

    /// Runs `f` in it.
    pub(crate) fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        #[cfg(feature = "tracing")]
        let _span = self.span.enter();
        match self.deadline {
            Some(deadline) => current::within(deadline, f),
            None => f(),
        }
    }

    /// Enters its span, without a guard: that could not be kept in what is sent.
    #[cfg_attr(not(feature = "tracing"), expect(clippy::unused_self, reason = "there are no spans"))]
    pub(crate) fn enter(&self) {
        #[cfg(feature = "tracing")]
        self.span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
    }

    /// Leaves the span that was [entered](Self::enter), on the same thread.
    #[cfg_attr(not(feature = "tracing"), expect(clippy::unused_self, reason = "there are no spans"))]
    pub(crate) fn leave(&self) {
        #[cfg(feature = "tracing")]
        self.span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
    }
}

/// What a panic says.
pub(crate) fn message(panic: &(dyn Any + Send)) -> Arc<str> {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let said = said.unwrap_or("something that is no text");
    said.chars().take(MOST_TOLD).collect::<String>().into()
}

#[cfg(all(test, feature = "tracing"))]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_carried_without_an_allocation() {
        let subscriber = tracing_subscriber::fmt().with_writer(std::io::sink).finish();
        let _default = tracing::subscriber::set_default(subscriber);
        let span = tracing::info_span!("call");
        let allocated = span.in_scope(|| allocation_counter::measure(|| drop(Carried::current())));
        assert_eq!(allocated.count_total, 0);
    }
}
