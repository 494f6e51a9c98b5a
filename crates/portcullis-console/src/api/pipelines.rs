//! Pipelines: which policies a call goes through, and what that comes to.

use std::sync::Arc;

use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::Response,
};
use portcullis::{
    Registry,
    pipeline::{Place, Plan},
};
use serde::{Deserialize, Serialize};
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
    /// Which one of that name it is, from 1.
    number: usize,
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
    let plans = console.registry.pipelines();
    // Those of a name stand together.
    let of_a_name = plans.chunk_by(|one, next| one.name() == next.name());
    let numbered = of_a_name.flat_map(|plans| plans.iter().zip(1..));
    json(&Pipelines { pipelines: numbered.map(|(plan, number)| view(&console, plan, number)).collect() })
}

fn view(console: &Shared, plan: &Plan, number: usize) -> PipelineView {
    let parts = plan.explain().order.iter().map(|step| part(console, step.place, &step.name)).collect();
    PipelineView { name: plan.name().to_string(), number, side: plan.side().as_str(), parts }
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

/// Which of the pipelines of a name.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct OfNumber {
    #[serde(default)]
    number: Option<usize>,
}

pub(crate) async fn explain(
    State(console): State<Arc<Shared>>,
    path: Result<Path<Named>, PathRejection>,
    number: Result<Query<OfNumber>, QueryRejection>,
) -> Result<Response, Problem> {
    let Path(Named { name }) = path.map_err(|error| Problem::new(400, error.body_text()))?;
    let Query(OfNumber { number }) = number.map_err(|error| Problem::new(400, error.body_text()))?;
    let plan = find(&console.registry, &name, number);
    let plan = plan.ok_or_else(|| Problem::not_found(format!("no pipeline is called '{name}'")))?;
    let explanation = plan.explain();
    let mut fields = match serde_json::to_value(&explanation) {
        Ok(Json::Object(fields)) => fields,
        _ => Map::new(),
    };
    fields.insert("text".into(), explanation.to_string().into());
    Ok(json(&fields))
}

/// The pipeline of this name and number; the youngest of that name, if no number is told.
fn find(registry: &Registry, name: &str, number: Option<usize>) -> Option<Plan> {
    let Some(number) = number else { return registry.pipeline(name) };
    let of_that_name = registry.pipelines().into_iter().filter(|plan| &**plan.name() == name);
    of_that_name.zip(1..).find_map(|(plan, at)| (at == number).then_some(plan))
}
