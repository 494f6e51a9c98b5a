//! Prometheus and Alertmanager, as they are installed.

use std::{path::Path, process::Stdio, time::Duration};

use portcullis_tests::net::{client, soon};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::assets::asset;

/// A program that serves HTTP; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) address: String,
    client: reqwest::Client,
    _process: Child,
    /// Reads on, or the program would wait for its log to be read.
    _log: JoinHandle<()>,
}

impl Program {
    /// Prometheus with the committed rules and settings, but that it looks each second, at `target`, and tells
    /// `alertmanager`.
    pub(crate) async fn prometheus(directory: &Path, target: &str, alertmanager: &str) -> Self {
        std::fs::copy(asset("prometheus/portcullis.rules.yml"), directory.join("portcullis.rules.yml"))
            .unwrap();
        let settings = std::fs::read_to_string(asset("prometheus/prometheus.yml")).unwrap();
        let settings = replaced(&settings, "interval: 15s", "interval: 1s", 2);
        let settings = replaced(&settings, "127.0.0.1:3000", target, 1);
        let settings = replaced(&settings, "127.0.0.1:9093", alertmanager, 1);
        let file = directory.join("prometheus.yml");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("series").display()));
        Self::start(command).await
    }

    /// Alertmanager with the committed settings, but that it tells `hooks`, and at once.
    pub(crate) async fn alertmanager(directory: &Path, hooks: &str) -> Self {
        let settings = std::fs::read_to_string(asset("alertmanager/alertmanager.yml")).unwrap();
        let settings = replaced(&settings, "http://127.0.0.1:5001", hooks, 3);
        let settings = replaced(&settings, "group_wait: 30s", "group_wait: 1s", 1);
        let settings = replaced(&settings, "group_interval: 5m", "group_interval: 1s", 1);
        let file = directory.join("alertmanager.yml");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new("prometheus-alertmanager");
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", directory.join("alerts").display()))
            .arg("--cluster.listen-address=");
        Self::start(command).await
    }

    async fn start(mut command: Command) -> Self {
        command.arg("--web.listen-address=127.0.0.1:0").stdin(Stdio::null()).stdout(Stdio::null());
        let mut process = command
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it is installed: `cargo xtask setup`");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = soon(async {
            let mut said = String::new();
            loop {
                let line = log.next_line().await.unwrap().unwrap_or_else(|| panic!("it has ended: {said}"));
                if let Some((_, address)) = line.split_once(r#"msg="Listening on" address="#) {
                    break address.to_owned();
                }
                said = said + "\n" + &line;
            }
        })
        .await;
        let reading = tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        let program = Self { address, client: client(), _process: process, _log: reading };
        until("it is ready", async || program.is_ready().await.then_some(())).await;
        program
    }

    async fn is_ready(&self) -> bool {
        let asked = self.client.get(format!("http://{}/-/ready", self.address)).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// What it answers, as JSON.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let url = format!("http://{}{path}?{}", self.address, pairs.join("&"));
        let answer = soon(async { self.client.get(&url).send().await.unwrap().text().await.unwrap() }).await;
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{url}: {answer}"))
    }

    /// What a query comes to: the series, each with its labels and values.
    pub(crate) async fn query(&self, query: &str) -> Vec<Value> {
        let answer = self.get("/api/v1/query", &[("query", query)]).await;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        answer["data"]["result"].as_array().unwrap().clone()
    }
}

/// What the settings must say so many times, or the test would be about others.
fn replaced(text: &str, from: &str, to: &str, times: usize) -> String {
    assert_eq!(text.matches(from).count(), times, "{from} in {text}");
    text.replace(from, to)
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Asks again and again, until there is an answer.
pub(crate) async fn until<T>(what: &str, asked: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = asked().await {
                break answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking)
        .await
        .unwrap_or_else(|_| panic!("not within a minute: {what}"))
}
