//! Pipelines: which policies a call goes through, and what that comes to.

use std::sync::Arc;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use portcullis::pipeline::{Place, Plan};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::{Named, json};
use crate::{console::Shared, problem::Problem};

#[derive(Debug, Serialize)]
struct Pipelines {
    pipelines: Vec<PipelineView>,
}

#[derive(Debug, Serialize)]
struct PipelineView {
    name: String,
    side: &'static str,
    parts: Vec<PartView>,
}

#[derive(Debug, Serialize)]
struct PartView {
    kind: &'static str,
    name: String,
    /// Of the policy, if there is one.
    id: Option<String>,
}

pub(crate) async fn all(State(console): State<Arc<Shared>>) -> Response {
    let pipelines = console.registry.pipelines().iter().map(|plan| view(&console, plan)).collect();
    json(&Pipelines { pipelines })
}

fn view(console: &Shared, plan: &Plan) -> PipelineView {
    let parts = plan.explain().order.iter().map(|step| part(console, step.place, &step.name)).collect();
    PipelineView { name: plan.name().to_string(), side: plan.side().as_str(), parts }
}

fn part(console: &Shared, place: Place, name: &str) -> PartView {
    let kind = match place {
        Place::Deadline | Place::AttemptTimeout => "timeout",
        Place::Observe | Place::Attempts => "observer",
        other => other.as_str(),
    };
    let known = portcullis::PolicyKind::ALL.into_iter().find(|known| known.as_str() == kind);
    let policy = known.and_then(|kind| console.registry.get(kind, name));
    let id = policy.map(|_| format!("{kind}/{name}"));
    PartView { kind: place.as_str(), name: name.to_owned(), id }
}

pub(crate) async fn explain(
    State(console): State<Arc<Shared>>,
    path: Result<Path<Named>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(Named { name }) = path.map_err(|error| Problem::new(400, error.body_text()))?;
    let plan = console.registry.pipeline(&name);
    let plan = plan.ok_or_else(|| Problem::not_found(format!("no pipeline is called '{name}'")))?;
    let explanation = plan.explain();
    let mut fields = match serde_json::to_value(&explanation) {
        Ok(Json::Object(fields)) => fields,
        _ => Map::new(),
    };
    fields.insert("text".into(), explanation.to_string().into());
    Ok(json(&fields))
}
