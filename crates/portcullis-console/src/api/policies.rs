//! Snapshots.

use std::sync::Arc;

use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::Response,
};
use serde::{Deserialize, Serialize};

use super::{
    Named, json,
    view::{CheckView, PolicyView, Seen, look, views},
};
use crate::{console::Shared, problem::Problem, time};

#[derive(Debug, Serialize)]
struct Whole<'a> {
    now: String,
    seq: u64,
    service: Option<&'a str>,
    overall: &'static str,
    stopped: Option<&'static str>,
    ready: bool,
    pipelines: Vec<String>,
    checks: Vec<CheckView>,
    writable: bool,
    config: bool,
    policies: Vec<PolicyView>,
}

/// Policies alone.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    pub(super) policies: Vec<PolicyView>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    /// Whether the last minutes are wanted, too.
    #[serde(default)]
    history: Option<String>,
    /// A text that the name or the kind has in it.
    #[serde(default)]
    q: Option<String>,
}

pub(crate) async fn all(
    State(console): State<Arc<Shared>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|error| Problem::new(400, error.body_text()))?;
    // Before the policies are looked at: what happens meanwhile is then told as an event, too.
    let seq = console.feed.seen();
    let mut seen = look(&console);
    let snapshots: Vec<_> = seen.iter().map(|seen| seen.snapshot.clone()).collect();
    if let Some(text) = wanted.q.as_deref().map(str::to_lowercase) {
        seen.retain(|seen| seen.id.to_lowercase().contains(&text));
    }
    Ok(json(&Whole {
        now: time::now(),
        seq,
        service: console.service.as_deref(),
        overall: console.registry.level_of(&snapshots).as_str(),
        stopped: console.registry.stopped(),
        ready: console.health.is_ready(),
        pipelines: console.registry.pipelines().iter().map(|plan| plan.name().to_string()).collect(),
        checks: snapshots.iter().filter(|snapshot| snapshot.part().is_check()).map(CheckView::new).collect(),
        writable: console.is_writable(),
        config: console.has_config(),
        policies: views(&console, seen, wanted.history.is_some_and(|history| history != "0")),
    }))
}

/// Which of the policies of a name.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct OfKind {
    #[serde(default)]
    kind: Option<String>,
}

pub(crate) async fn named(
    State(console): State<Arc<Shared>>,
    path: Result<Path<Named>, PathRejection>,
    kind: Result<Query<OfKind>, QueryRejection>,
) -> Result<Response, Problem> {
    let Path(Named { name }) = path.map_err(|error| Problem::new(400, error.body_text()))?;
    let Query(kind) = kind.map_err(|error| Problem::new(400, error.body_text()))?;
    let seen = find(&console, &name, kind.kind.as_deref())?;
    Ok(json(&Found { policies: views(&console, seen, true) }))
}

/// The policies of this name, and of this kind if one is told.
pub(super) fn find(console: &Shared, name: &str, kind: Option<&str>) -> Result<Vec<Seen>, Problem> {
    let mut seen = look(console);
    seen.retain(|seen| {
        let Seen { snapshot, .. } = seen;
        &*snapshot.name == name && kind.is_none_or(|kind| snapshot.kind.as_str() == kind)
    });
    if seen.is_empty() {
        return Err(Problem::not_found(format!("no policy is called '{name}'")));
    }
    Ok(seen)
}
