//! What is answered when something is wrong: problem+json, RFC 9457.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use portcullis::{PolicyKind, Rejection};
use serde::Serialize;

/// A refusal of a request.
#[derive(Debug)]
pub(crate) struct Problem(Box<Document>);

#[derive(Debug, Serialize)]
struct Document {
    #[serde(rename = "type")]
    about: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// What is wrong with one field.
#[derive(Debug, Serialize)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(status: u16, detail: impl Into<String>) -> Self {
        let known = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self(Box::new(Document {
            about: "about:blank",
            title: known.canonical_reason().unwrap_or("Refused"),
            status: known.as_u16(),
            detail: detail.into(),
            field: None,
            allowed: None,
            errors: Vec::new(),
            retry_after: None,
        }))
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, detail)
    }

    /// A field that is wrong, and what it may be.
    pub(crate) fn field(field: &str, detail: impl Into<String>, allowed: impl Into<String>) -> Self {
        let mut problem = Self::new(400, detail);
        problem.0.field = Some(field.to_owned());
        problem.0.allowed = Some(allowed.into());
        problem
    }

    /// Several fields that are wrong.
    #[cfg(feature = "config")]
    pub(crate) fn errors(detail: impl Into<String>, errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(422, detail);
        problem.0.field = errors.first().map(|error| error.field.clone());
        problem.0.errors = errors;
        problem
    }

    /// The console itself has no room, or no time.
    pub(crate) fn refused(rejection: &Rejection) -> Self {
        let status = if rejection.kind() == PolicyKind::RateLimit { 429 } else { 503 };
        let after = rejection.retry_after().map_or(1, |after| after.as_secs().saturating_add(1));
        let mut problem = Self::new(status, rejection.to_string());
        problem.0.retry_after = Some(after);
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // It is made of numbers and texts, and cannot fail.
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"portcullis\""));
        }
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
