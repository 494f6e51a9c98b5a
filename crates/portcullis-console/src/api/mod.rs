//! The API, by what is asked for.

mod act;
pub(crate) mod actions;
pub(crate) mod config;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod pipelines;
pub(crate) mod policies;
mod view;
#[cfg(feature = "config")]
mod wrong;

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{guard, problem::Problem};

/// The name in a path. By its word, since the prefix may have parts of its own.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    name: String,
}

/// An answer in JSON.
pub(crate) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
        }
        // Names are texts and keys are words: nothing of what is shown here can fail.
        Err(_) => Problem::new(500, "it cannot be written down").into_response(),
    }
}

/// A body of JSON, no larger than is allowed.
async fn body<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let read = Limited::new(body, guard::LARGEST_BODY).collect().await;
    let bytes = read.map_err(|error| match error.downcast::<http_body_util::LengthLimitError>() {
        Ok(_) => guard::too_large(),
        Err(_) => Problem::new(400, "the body broke off"),
    })?;
    serde_json::from_slice(&bytes.to_bytes())
        .map_err(|error| Problem::new(400, format!("not what is expected: {error}")))
}
