//! A subscriber that keeps what it sees of spans.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    filter::filter_fn,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

/// A span as it was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpanSeen {
    id: u64,
    pub(crate) name: &'static str,
    parent: Option<u64>,
    pub(crate) fields: BTreeMap<&'static str, String>,
    pub(crate) closed: bool,
    /// What was logged right inside of it.
    pub(crate) events: Vec<String>,
}

impl SpanSeen {
    /// What a field says; empty when it says nothing.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// Everything that a subscriber is told of spans.
#[derive(Clone, Default)]
pub(crate) struct Capture(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    spans: Vec<SpanSeen>,
    /// Logged outside of all.
    outside: Vec<String>,
}

impl Capture {
    /// What is seen from now on, on this thread, until the guard is dropped.
    pub(crate) fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let capture = Self::default();
        let guard = tracing::subscriber::set_default(capture.subscriber());
        (capture, guard)
    }

    pub(crate) fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        // Other libraries have spans of their own, of lower levels.
        let ours = filter_fn(|of| *of.level() <= Level::INFO || of.target() == "portcullis");
        tracing_subscriber::registry().with(self.clone().with_filter(ours))
    }

    /// All spans, in the order in which they began.
    pub(crate) fn spans(&self) -> Vec<SpanSeen> {
        self.0.lock().unwrap().spans.clone()
    }

    /// Logged outside of all spans.
    pub(crate) fn outside(&self) -> Vec<String> {
        self.0.lock().unwrap().outside.clone()
    }

    /// Each span with so many dots as it has others around it, its outcome, and what was logged in it.
    pub(crate) fn tree(&self) -> Vec<String> {
        let spans = self.spans();
        let depth = |span: &SpanSeen| {
            let mut around = span.parent;
            let mut depth = 0;
            while let Some(id) = around {
                depth += 1;
                around = spans.iter().rfind(|span| span.id == id).and_then(|span| span.parent);
            }
            depth
        };
        let show = |span: &SpanSeen| {
            let end = if span.closed { "" } else { " (open)" };
            let dots = ".".repeat(depth(span));
            format!("{dots}{} {}{end}: {}", span.name, span.field("outcome"), span.events.join(", "))
        };
        spans.iter().map(show).collect()
    }

    fn with(&self, id: &Id, change: impl FnOnce(&mut SpanSeen)) {
        let mut seen = self.0.lock().unwrap();
        if let Some(known) = seen.spans.iter_mut().rfind(|span| span.id == id.into_u64()) {
            change(known);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let parent = cx.span(id).and_then(|span| Some(span.parent()?.id().into_u64()));
        let (name, id) = (attributes.metadata().name(), id.into_u64());
        let mut span = SpanSeen { id, name, parent, ..SpanSeen::default() };
        attributes.record(&mut Fields(&mut span.fields));
        self.0.lock().unwrap().spans.push(span);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.with(id, |span| values.record(&mut Fields(&mut span.fields)));
    }

    fn on_event(&self, event: &tracing::Event<'_>, cx: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        let message = fields.remove("message").unwrap_or_default();
        match cx.event_span(event) {
            Some(span) => self.with(&span.id(), |span| span.events.push(message)),
            None => self.0.lock().unwrap().outside.push(message),
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.with(&id, |span| span.closed = true);
    }
}

struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
