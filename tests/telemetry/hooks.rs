//! Where Alertmanager tells people.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::Path, routing::post};
use portcullis_tests::net::Server;
use serde_json::Value;

/// A receiver of each kind, and what they were told.
#[derive(Debug)]
pub(crate) struct Hooks {
    server: Server,
    told: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Hooks {
    pub(crate) async fn start() -> Self {
        let told = Arc::<Mutex<Vec<(String, Value)>>>::default();
        let into = told.clone();
        let route = post(async move |Path(receiver): Path<String>, body: String| {
            let told: Value = serde_json::from_str(&body).unwrap();
            into.lock().unwrap().push((receiver, told));
        });
        let server = Server::axum(Router::new().route("/{receiver}", route)).await;
        Self { server, told }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url("")
    }

    /// Whether `receiver` was told that this alert has this status.
    pub(crate) fn were_told(&self, receiver: &str, alert: &str, status: &str) -> bool {
        let is_it = |one: &Value| one["labels"]["alertname"] == alert && one["status"] == status;
        let told = self.told.lock().unwrap();
        told.iter()
            .filter(|(to, _)| to == receiver)
            .any(|(_, told)| told["alerts"].as_array().unwrap().iter().any(is_it))
    }
}
