//! What was answered, and what it means.

use std::fmt::Write;

use http::StatusCode;
use serde_json::{Map, Value, json};
use tonic_health::pb::health_check_response::ServingStatus;

/// What a service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The word for the whole; `None` when there was no answer.
    status: Option<String>,
    document: Value,
}

impl Answer {
    /// There was none, for this reason.
    pub(crate) fn none(why: String) -> Self {
        Self { status: None, document: json!({ "overall_status": null, "error": why }) }
    }

    /// A health document; of another service than ours, what its status says.
    pub(crate) fn of_http(code: StatusCode, body: &[u8]) -> Self {
        let document: Option<Value> = serde_json::from_slice(body).ok();
        let told = document.as_ref().and_then(|document| document.get("overall_status")?.as_str());
        if let Some(status) = told.map(str::to_owned) {
            return Self { status: Some(status), document: document.unwrap_or_default() };
        }
        let status = if code.is_success() { "healthy" } else { "critical" };
        let document = json!({ "overall_status": status, "http_status": code.as_u16() });
        Self { status: Some(status.to_owned()), document }
    }

    /// What grpc.health.v1 says, which has two words.
    pub(crate) fn of_grpc(serving: ServingStatus) -> Self {
        let status = if serving == ServingStatus::Serving { "healthy" } else { "critical" };
        let document = json!({ "overall_status": status, "serving_status": serving.as_str_name() });
        Self { status: Some(status.to_owned()), document }
    }

    /// Whether the service can be left as it is.
    pub(crate) fn is_well(&self) -> bool {
        matches!(self.status.as_deref(), Some("healthy" | "warning"))
    }

    pub(crate) fn json(&self) -> &Value {
        &self.document
    }

    /// For people: the whole, and a line for each check, and each policy that is not in its normal state.
    pub(crate) fn text(&self, url: &str) -> String {
        let mut text = match &self.status {
            Some(status) => format!("{status}  {url}\n"),
            None => format!("no answer  {url}\n"),
        };
        if let Some(why) = self.document.get("error").and_then(Value::as_str) {
            line(&mut text, format_args!("  {why}"));
        }
        for (name, check) in object(&self.document, "checks") {
            let status = word(check, "status");
            let took = check.get("duration_ms").and_then(Value::as_f64);
            let took = took.map(|ms| format!(" ({ms:.1} ms)")).unwrap_or_default();
            let said = check.get("message").and_then(Value::as_str);
            let said = said.map(|said| format!(": {said}")).unwrap_or_default();
            line(&mut text, format_args!("  {status:<9} {name}{took}{said}"));
        }
        for (name, policy) in object(&self.document, "policies") {
            let (kind, state) = (word(policy, "kind"), word(policy, "state"));
            if !matches!(state, "active" | "closed" | "serving") {
                line(&mut text, format_args!("  {state:<9} {name}, a {}", kind.replace('_', " ")));
            }
        }
        text
    }
}

/// Writing to a String cannot fail.
fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // What is told comes from elsewhere: it must not move the cursor of who reads it.
    let line: String = line.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(text, "{}", line.trim_end());
}

fn object<'a>(document: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    document.get(name).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_decides_and_not_the_status() {
        for (word, well) in
            [("healthy", true), ("warning", true), ("degraded", false), ("critical", false), ("odd", false)]
        {
            let body = json!({ "overall_status": word }).to_string();
            assert_eq!(Answer::of_http(StatusCode::OK, body.as_bytes()).is_well(), well, "{word}");
        }
    }

    #[test]
    fn of_others_the_status_decides() {
        for body in ["", "live", "{}", "[1]", "{\"overall_status\": 1}"] {
            assert!(Answer::of_http(StatusCode::OK, body.as_bytes()).is_well(), "{body}");
            assert!(!Answer::of_http(StatusCode::SERVICE_UNAVAILABLE, body.as_bytes()).is_well(), "{body}");
        }
    }

    #[test]
    fn people_read_what_is_not_as_it_should_be() {
        let document = json!({
            "overall_status": "degraded",
            "checks": { "database": { "status": "critical", "duration_ms": 3.05, "message": "refused\u{1b}[2J" } },
            "policies": {
                "inventory": { "kind": "breaker", "state": "open" },
                "shop": { "kind": "rate_limit", "state": "active" },
            },
        });
        let answer = Answer::of_http(StatusCode::OK, document.to_string().as_bytes());
        assert_eq!(
            answer.text("http://shop/health"),
            "degraded  http://shop/health\n  critical  database (3.0 ms): refused [2J\n  open      inventory, a breaker\n"
        );
        assert!(!answer.is_well());
    }
}
