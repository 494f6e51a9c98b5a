//! `storm`: a gateway and its upstreams under real load and real faults, without and with
//! Portcullis, side by side.
//!
//! ```text
//! cargo run --release -p storm
//! ```
//!
//! It exits with 0 if the protected side kept its promises, with 1 if it did not, and with 2 if the
//! storm could not be run, or the machine was too busy with other things for a verdict.

#![forbid(unsafe_code)]

mod cli;
mod console;
mod gateway;
mod lateness;
mod load;
mod record;
mod report;
mod scenes;
mod schedule;
mod side;
mod storm;
mod upstream;
mod verdict;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use tower::BoxError;

use self::cli::{Cli, Command};
use self::report::screen::Screen;

/// Sockets of a storm at its worst: every request in flight holds four.
const SOCKETS: u64 = 8192;

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _unseen = writeln!(std::io::stderr(), "storm: {error}");
            ExitCode::from(2)
        }
    }
}

/// True if all that was promised was kept.
async fn run(cli: &Cli) -> Result<bool, BoxError> {
    match cli.command {
        Some(Command::Scenes) => scenes::list(&mut Screen::new()).map(|()| true).map_err(BoxError::from),
        Some(Command::Scene { name }) => scenes::play(name).await,
        None => {
            // If the system does not allow that many, fewer may do: the storm says so itself when not.
            let _raised = rlimit::increase_nofile_limit(SOCKETS);
            storm::run(&cli.options()).await
        }
    }
}
