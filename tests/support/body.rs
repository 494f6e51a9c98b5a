//! Bodies that are watched.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame};

/// Counts bodies that are held.
#[derive(Clone, Debug, Default)]
pub struct Bodies(Arc<AtomicUsize>);

impl Bodies {
    /// A body of one frame.
    pub fn body(&self, text: &'static str) -> Watched {
        self.0.fetch_add(1, SeqCst);
        Watched { text: Some(text), held: self.clone() }
    }

    /// How many bodies are held now.
    pub fn held(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// A body that says when it is dropped.
#[derive(Debug)]
pub struct Watched {
    text: Option<&'static str>,
    held: Bodies,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.text.take().map(|text| Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.held.0.fetch_sub(1, SeqCst);
    }
}
