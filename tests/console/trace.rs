//! What the page's thread does, as the browser itself writes it down.

use chromiumoxide::cdp::browser_protocol::tracing::{
    EndParams, EventDataCollected, EventTracingComplete, StartParams, StartTransferMode, TraceConfig,
};
use futures_util::StreamExt;
use portcullis_tests::net::soon;
use serde_json::Value as Json;
use tokio::task::JoinHandle;

use crate::tab::Tab;

/// A trace that is being written.
pub(crate) struct Trace {
    pieces: JoinHandle<Vec<Json>>,
}

/// What the tasks of pages took.
#[derive(Debug)]
pub(crate) struct Tasks {
    pub(crate) number: usize,
    /// The longest, in milliseconds of a processor: it does not hang on what else runs on the machine.
    pub(crate) longest: f64,
}

impl Trace {
    pub(crate) async fn start(tab: &Tab) -> Self {
        let mut pieces = tab.page.event_listener::<EventDataCollected>().await.unwrap();
        let mut end = tab.page.event_listener::<EventTracingComplete>().await.unwrap();
        let pieces = tokio::spawn(async move {
            let mut all = Vec::new();
            loop {
                tokio::select! {
                    biased;
                    Some(piece) = pieces.next() => all.extend(piece.value.iter().cloned()),
                    _ = end.next() => return all,
                }
            }
        });
        let config = TraceConfig::builder().included_categories(["toplevel", "__metadata"]).build();
        let start =
            StartParams::builder().transfer_mode(StartTransferMode::ReportEvents).trace_config(config);
        tab.page.execute(start.build()).await.unwrap();
        Self { pieces }
    }

    pub(crate) async fn end(self, tab: &Tab) -> Tasks {
        tab.page.execute(EndParams::default()).await.unwrap();
        tasks(&soon(self.pieces).await.unwrap())
    }
}

/// Of each thread that runs pages.
fn tasks(events: &[Json]) -> Tasks {
    let thread = |event: &Json| (event["pid"].as_u64(), event["tid"].as_u64());
    let is_main = |event: &&Json| event["name"] == "thread_name" && event["args"]["name"] == "CrRendererMain";
    let mains: Vec<_> = events.iter().filter(is_main).map(thread).collect();
    let is_task =
        |event: &&Json| event["name"] == "ThreadControllerImpl::RunTask" && mains.contains(&thread(event));
    let tasks: Vec<_> = events.iter().filter(is_task).collect();
    let took = tasks.iter().filter_map(|event| event["tdur"].as_f64());
    Tasks { number: tasks.len(), longest: took.fold(0.0, f64::max) / 1e3 }
}
