//! Changes by hand.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Extension, Path, State, rejection::PathRejection},
    response::Response,
};
use portcullis::PolicyKind;
use serde::Deserialize;
use serde_json::json;

use super::{
    act::{self, Order},
    body, json as answer,
    policies::{Found, find},
    view::{Seen, views},
};
use crate::{console::Shared, guard::By, problem::Problem};

/// The longest reason that is taken, in bytes.
const LONGEST_WHY: usize = 500;

/// What is to be done, to which, and why.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    why: Option<String>,
    #[serde(default)]
    for_ms: Option<u64>,
    #[serde(default)]
    mode: Option<act::WantedMode>,
}

/// What to do, and to which.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    name: String,
    action: String,
}

impl Wish {
    fn why(&self) -> Result<&str, Problem> {
        let why = self.why.as_deref().unwrap_or_default();
        if why.len() > LONGEST_WHY {
            return Err(Problem::field("why", "the reason is too long", "at most 500 bytes"));
        }
        Ok(why)
    }
}

/// Does one thing to all policies of a name and a kind.
pub(crate) async fn act(
    State(console): State<Arc<Shared>>,
    path: Result<Path<Target>, PathRejection>,
    Extension(By(by)): Extension<By>,
    request: Body,
) -> Result<Response, Problem> {
    let Path(Target { name, action }) = path.map_err(|error| Problem::new(400, error.body_text()))?;
    let wish: Wish = body(request).await?;
    let why = wish.why()?;
    let seen = find(&console, &name, wish.kind.as_deref())?;
    let kind = one_kind(&seen)?;
    let order = Order::new(&action, wish.mode.as_ref(), wish.for_ms)?;
    order.give(&console, kind, &name, &seen, &by, why)?;
    Ok(answer(&Found { policies: views(&console, find(&console, &name, Some(kind.as_str()))?, false) }))
}

fn one_kind(seen: &[Seen]) -> Result<PolicyKind, Problem> {
    let mut kinds: Vec<_> = seen.iter().map(|seen| seen.snapshot.kind).collect();
    kinds.dedup();
    match kinds.as_slice() {
        [kind] => Ok(*kind),
        _ => {
            let kinds: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
            Err(Problem::field("kind", "policies of several kinds are called that", kinds.join(", ")))
        }
    }
}

/// The emergency stop.
pub(crate) async fn stop(
    State(console): State<Arc<Shared>>,
    Extension(By(by)): Extension<By>,
    request: Body,
) -> Result<Response, Problem> {
    let wish: Wish = body(request).await?;
    let why = wish.why()?;
    if why.trim().is_empty() {
        return Err(Problem::field("why", "a stop needs a reason, which every refusal tells", "a text"));
    }
    console.registry.stop_all(why);
    Ok(told(&console, &by, "stopped", why))
}

/// Ends it, and every isolation.
pub(crate) async fn release(
    State(console): State<Arc<Shared>>,
    Extension(By(by)): Extension<By>,
    request: Body,
) -> Result<Response, Problem> {
    let wish: Wish = body(request).await?;
    let why = wish.why()?;
    console.registry.release_all();
    Ok(told(&console, &by, "released", why))
}

/// Resets every policy.
pub(crate) async fn reset(
    State(console): State<Arc<Shared>>,
    Extension(By(by)): Extension<By>,
    request: Body,
) -> Result<Response, Problem> {
    let wish: Wish = body(request).await?;
    let why = wish.why()?;
    console.registry.reset_all();
    Ok(told(&console, &by, "reset", why))
}

/// The answer to who did something to all policies, which is told.
fn told(console: &Shared, by: &str, done: &str, why: &str) -> Response {
    act::audit_all(console, by, done, why);
    answer(&json!({}))
}
