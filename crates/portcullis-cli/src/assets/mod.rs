//! `portcullis assets`: what Prometheus, Alertmanager and Grafana need to watch a service.
//!
//! All of it is made from the names in [`portcullis::metrics::names`], which the code publishes under: an alert on a
//! metric that does not exist does not compile. What is committed under `assets/` is compared with what comes out.

mod alerts;
mod dashboard;
mod examples;
mod panels;
mod rows;
mod rules;

use std::{
    io,
    path::{Path, PathBuf},
};

/// Where each file goes, and what is in it.
pub(crate) fn files() -> Vec<(&'static str, String)> {
    let alerts = alerts::all();
    vec![
        ("README.md", examples::readme(&alerts)),
        ("alertmanager/alertmanager.yml", examples::ALERTMANAGER.to_owned()),
        ("grafana/portcullis.json", dashboard::json()),
        ("prometheus/portcullis.rules.test.yml", rules::tests(&alerts)),
        ("prometheus/portcullis.rules.yml", rules::rules(&alerts)),
        ("prometheus/prometheus.yml", examples::PROMETHEUS.to_owned()),
    ]
}

/// Writes all of it below `directory`, over what is there, and says which files these are.
pub(crate) fn write(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for (name, text) in files() {
        let path = directory.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, text)?;
        written.push(path);
    }
    Ok(written)
}
