//! Servers in Python.

use std::{path::PathBuf, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::net::soon;

/// A process that serves; it ends when this is dropped, and when this process ends in whatever way.
#[derive(Debug)]
pub struct Python {
    port: u16,
    _process: Child,
    /// It serves for as long as this is open.
    _alive: Option<ChildStdin>,
}

impl Python {
    /// Runs a script of `tests/servers`, which prints its port and serves until its input ends.
    ///
    /// # Panics
    ///
    /// When there is no Python for the tests, or the script says nothing.
    pub async fn serve(script: &str) -> Self {
        let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let mut process = Command::new(interpreter())
            .arg(tests.join("servers").join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the interpreter runs");
        let mut said = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let line = soon(said.next_line()).await.expect("it is read").expect("the script says its port");
        let port = line.parse().expect("a port");
        Self { port, _alive: process.stdin.take(), _process: process }
    }

    /// Where it serves.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// A script that asks a server, and says line by line what it was told; it ends when this is dropped.
#[derive(Debug)]
pub struct Asking {
    said: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Asking {
    /// Runs a script of `tests/servers` with these arguments.
    ///
    /// # Panics
    ///
    /// When there is no Python for the tests.
    pub fn start(script: &str, arguments: &[&str]) -> Self {
        let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let mut process = Command::new(interpreter())
            .arg(tests.join("servers").join(script))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the interpreter runs");
        let said = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        Self { said, _process: process }
    }

    /// What it says next.
    ///
    /// # Panics
    ///
    /// When it says nothing for long.
    pub async fn said(&mut self) -> Option<String> {
        soon(self.said.next_line()).await.expect("it is read")
    }
}

/// The interpreter that `cargo xtask setup` has made, or another that was named.
fn interpreter() -> PathBuf {
    let made = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/python/bin/python3");
    let path = std::env::var_os("PORTCULLIS_TEST_PYTHON").map_or_else(|| made.into(), PathBuf::from);
    assert!(
        path.exists(),
        "there is no Python for the tests at {}: `cargo xtask test` makes one, and runs all tests",
        path.display()
    );
    path
}
