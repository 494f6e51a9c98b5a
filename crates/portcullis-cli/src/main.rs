//! The program `portcullis`.
//!
//! `portcullis health URL` asks a service how it is, and says so by its exit code: 0 when it is healthy, or there is
//! but a warning; 1 when it is degraded, critical, or does not answer; 2 when it was asked wrongly.
//!
//! ```text
//! $ portcullis health http://localhost:3000/health
//! degraded  http://localhost:3000/health
//!   healthy   database (3.1 ms)
//!   open      inventory, a breaker
//! $ portcullis health grpc://localhost:50051/echo.v1.Echo
//! healthy  grpc://localhost:50051/echo.v1.Echo
//! ```
//!
//! As a container's health check, where there is no curl:
//!
//! ```text
//! HEALTHCHECK CMD ["portcullis", "health", "--timeout", "2s", "http://127.0.0.1:3000/health"]
//! ```
//!
//! `portcullis assets --out DIR` writes a dashboard for Grafana, alerts for Prometheus with their tests, and examples of
//! both programs' settings, all of the names that services publish under.
//!
//! `portcullis schema` prints the JSON Schema of files of settings, by which editors complete and check them.
//!
//! It speaks no TLS: it is for asking a process on its own machine, or inside of its network.
#![forbid(unsafe_code)]

mod assets;
mod grpc;
mod health;
mod http;
mod target;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use health::Answer;
use target::Target;

/// What was asked wrongly ends with this, as clap does it.
const USAGE: u8 = 2;

#[derive(Parser)]
#[command(name = "portcullis", version, about = "Asks services that are protected by Portcullis.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Asks a service how it is. Ends with 0 when it is healthy or there is a warning, with 1 when it is degraded,
    /// critical or does not answer, with 2 when it is asked wrongly.
    Health {
        /// `http://host[:port][/path]`, where the path is /health if there is none, or `grpc://host:port[/service]`.
        url: Target,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
        /// How long an answer may take in all, such as 500ms, 2s, 1m.
        #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
        timeout: Duration,
    },
    /// Writes what Prometheus, Alertmanager and Grafana need to watch a service: alerts, a dashboard, examples of
    /// settings. Ends with 1 when it cannot be written.
    Assets {
        /// The directory, which is made if there is none; files of the same names in it are replaced.
        #[arg(long, value_name = "DIR", default_value = "assets")]
        out: PathBuf,
    },
    /// Prints the JSON Schema of files of settings, by which editors complete and check them.
    Schema,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Health { url, json, timeout } => health(&url, json, timeout),
        Command::Assets { out } => write(&out),
        Command::Schema => schema(),
    }
}

fn schema() -> ExitCode {
    say(&mut std::io::stdout(), &format!("{:#}", portcullis_config::schema()));
    ExitCode::SUCCESS
}

/// Says which files there are now.
fn write(directory: &Path) -> ExitCode {
    match assets::write(directory) {
        Ok(files) => {
            for file in files {
                say(&mut std::io::stdout(), &file.display().to_string());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let place = directory.display();
            say(&mut std::io::stderr(), &format!("portcullis: cannot write to {place}: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn health(url: &Target, json: bool, timeout: Duration) -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build();
    let answer = match runtime {
        Ok(runtime) => finish(runtime, ask(url, timeout)),
        Err(error) => {
            say(&mut std::io::stderr(), &format!("portcullis: {error}"));
            return ExitCode::from(USAGE);
        }
    };
    let text = if json { answer.json().to_string() } else { answer.text(&url.to_string()) };
    say(&mut std::io::stdout(), text.trim_end());
    ExitCode::from(u8::from(!answer.is_well()))
}

/// What a future comes to, and then no more: a name that is still looked up blocks a thread, which the end of a runtime
/// waits for, however long that takes.
fn finish<F: Future>(runtime: Runtime, asked: F) -> F::Output {
    let answer = runtime.block_on(asked);
    runtime.shutdown_background();
    answer
}

async fn ask(target: &Target, limit: Duration) -> Answer {
    let asked = async {
        match target {
            Target::Http(uri) => http::ask(uri).await,
            Target::Grpc { address, service } => grpc::ask(address, service).await,
        }
    };
    match tokio::time::timeout(limit, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Answer::none(chain(&*error)),
        Err(_elapsed) => Answer::none(format!("no answer within {limit:?}")),
    }
}

/// An error with all that it comes from: "connection refused" stands last.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let cause = error.to_string();
        if !said.ends_with(&cause) {
            said = format!("{said}: {cause}");
        }
        next = error.source();
    }
    said
}

/// Whoever reads this may have gone away, which changes nothing.
fn say(to: &mut dyn std::io::Write, text: &str) {
    let _ = writeln!(to, "{text}");
}

fn time(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().map_err(|_| "not a time, such as 500ms, 2s, 1m".to_owned())?;
    let millis = match unit {
        "ms" => Some(number),
        "s" | "" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        _ => None,
    };
    match millis {
        Some(millis @ 1..=3_600_000) => Ok(Duration::from_millis(millis)),
        _ => Err("allowed is 1ms to 60m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program ended when the resolver gave up, long after its time limit.
    #[test]
    fn what_still_blocks_a_thread_is_not_waited_for() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let (told, ended) = std::sync::mpsc::channel();
        let waits = std::thread::spawn(move || {
            let looks_up = async {
                let looking = tokio::task::spawn_blocking(move || blocked.recv());
                tokio::time::timeout(Duration::from_millis(20), looking).await.is_err()
            };
            told.send(finish(runtime, looks_up)).unwrap();
        });
        assert_eq!(ended.recv_timeout(Duration::from_secs(20)), Ok(true));
        drop(release);
        waits.join().unwrap();
    }

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(time("3"), Ok(Duration::from_secs(3)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        for wrong in
            ["", "s", "0s", "61m", "-1s", "1h", "1.5s", "99999999999999999999s", "18446744073709551615m", "é"]
        {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
