//! Events as they happen: server-sent events, from where the reader left off.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{Extensions, HeaderMap, HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, stream::unfold};
use portcullis::bulkhead::BulkheadTicket;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    console::Shared,
    feed::{Frame, Resumed},
    problem::Problem,
    serve::Ending,
};

/// A comment is sent when nothing else was for this long, so that a reader knows that it is still connected, and the
/// console that there is still a reader.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const LAST_EVENT_ID: &str = "last-event-id";

/// A reader of events. It holds nothing of the console: it ends with it.
struct Reader {
    epoch: String,
    /// What is still to be sent before what comes.
    first: VecDeque<Event>,
    frames: VecDeque<Arc<Frame>>,
    receiver: Receiver<Arc<Frame>>,
    ending: Ending,
    _room: BulkheadTicket,
}

pub(crate) async fn events(
    State(console): State<Arc<Shared>>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, Problem> {
    let room = match console.limits.stream() {
        Ok(room) => room,
        Err(problem) => return Ok(full(problem)),
    };
    let id = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let Resumed { frames, lost, receiver } = console.feed.resume(id);
    let epoch = console.feed.epoch().to_owned();
    let first = beginning(&console, lost);
    let ending = extensions.get::<Ending>().cloned().unwrap_or_default();
    let reader = Reader { epoch, first, frames, receiver, ending, _room: room };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let mut response = Sse::new(stream(reader)).keep_alive(keep_alive).into_response();
    // Some proxies collect what they pass on, unless they are told.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// A connection that came for a stream has no other use, and makes room.
fn full(problem: Problem) -> Response {
    let mut response = problem.into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn beginning(console: &Shared, lost: u64) -> VecDeque<Event> {
    let hello = serde_json::json!({ "seq": console.feed.seen(), "epoch": console.feed.epoch() });
    let mut first = VecDeque::from([Event::default().event("hello").data(hello.to_string())]);
    if lost > 0 {
        first.push_back(lagged(lost));
    }
    first
}

fn lagged(lost: u64) -> Event {
    Event::default().event("lagged").data(format!(r#"{{"lost":{lost}}}"#))
}

fn stream(reader: Reader) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(reader, |mut reader| async move { reader.next().await.map(|event| (Ok(event), reader)) })
}

impl Reader {
    async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.first.pop_front() {
            return Some(event);
        }
        if let Some(frame) = self.frames.pop_front() {
            return Some(self.event(&frame));
        }
        let received = tokio::select! {
            received = self.receiver.recv() => received,
            () = self.ending.ended() => return None,
        };
        match received {
            Ok(frame) => Some(self.event(&frame)),
            Err(RecvError::Lagged(lost)) => Some(lagged(lost)),
            Err(RecvError::Closed) => None,
        }
    }

    fn event(&self, frame: &Frame) -> Event {
        // JSON has no line ends, which axum would refuse.
        Event::default().event("event").id(format!("{}-{}", self.epoch, frame.number())).data(frame.json())
    }
}
