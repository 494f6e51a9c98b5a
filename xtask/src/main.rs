//! The project's chores: `cargo xtask setup`, `cargo xtask test`, `cargo xtask bench`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line program talks to its user")]
#![expect(clippy::print_stderr, reason = "and says there what went wrong")]

mod bench;
mod count;
mod limits;
mod node;
mod python;
mod setup;
mod step;
mod table;
mod test;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use lexopt::prelude::*;
use xshell::Shell;

const HELP: &str = "\
The project's chores.

Usage: cargo xtask <command>

Commands:
  setup                   installs what the tests, the benches and CI need and this machine lacks
  test [-- ARGS]          runs all tests: unit and integration tests, doc tests, loom models;
                          with ARGS only `cargo nextest run --workspace ARGS`
  bench                   counts what a call costs here and in the peers, rewrites benches/README.md
  bench --row NAME        the same for one row, printed only
  bench --check           counts portcullis only and fails when it got more expensive
                          than benches/README.md says
  bench limits            simulates limits under overload, rewrites benches/limits.md and .svg
  bench limits --check    fails when those two files are not what comes out
  bench wire              asks servers behind every stack by wrk, rewrites their table in benches/README.md;
                          with --rounds N, --seconds N (15 and 2, five minutes in all); with
                          --row NAME one of them and the bare server, printed only

Options:
  -h, --help              prints this
";

fn main() -> ExitCode {
    match parse().and_then(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

enum Command {
    Help,
    Setup,
    Test { arguments: Vec<String> },
    Bench(bench::Options),
    Wire(wire::Options),
}

/// Whether all went well; what did not has been said.
fn run(command: Command) -> Result<bool> {
    let shell = Shell::new()?;
    shell.change_dir(root()?);
    match command {
        Command::Help => {
            print!("{HELP}");
            Ok(true)
        }
        Command::Setup => setup::everything(&shell).map(|()| true),
        Command::Test { arguments } => test::run(&shell, &arguments),
        Command::Bench(options) => bench::run(&shell, &options),
        Command::Wire(options) => wire::run(&shell, &options).map(|()| true),
    }
}

fn parse() -> Result<Command> {
    let mut parser = lexopt::Parser::from_env();
    let mut command = None;
    while let Some(argument) = parser.next()? {
        match (argument, &mut command) {
            (Short('h') | Long("help"), _) => return Ok(Command::Help),
            (Value(name), None) => command = Some(named(&name.string()?)?),
            (Value(argument), Some(Command::Test { arguments })) => arguments.push(argument.string()?),
            (Value(what), Some(Command::Bench(options))) if what == "limits" => options.limits = true,
            (Value(what), Some(Command::Bench(_))) if what == "wire" => {
                command = Some(Command::Wire(wire::Options::default()));
            }
            (Long("rounds"), Some(Command::Wire(options))) => options.rounds = parser.value()?.parse()?,
            (Long("seconds"), Some(Command::Wire(options))) => options.seconds = parser.value()?.parse()?,
            (Long("row"), Some(Command::Wire(options))) => options.only = Some(parser.value()?.string()?),
            (Long("check"), Some(Command::Bench(options))) => options.check = true,
            (Long("row"), Some(Command::Bench(options))) => options.row = Some(parser.value()?.string()?),
            (argument, _) => return Err(argument.unexpected().into()),
        }
    }
    Ok(command.unwrap_or(Command::Help))
}

fn named(name: &str) -> Result<Command> {
    match name {
        "setup" => Ok(Command::Setup),
        "test" => Ok(Command::Test { arguments: Vec::new() }),
        "bench" => Ok(Command::Bench(bench::Options::default())),
        "help" => Ok(Command::Help),
        _ => anyhow::bail!("no command `{name}`; `cargo xtask --help` lists them"),
    }
}

/// The root of the workspace, from wherever cargo was called.
fn root() -> Result<PathBuf> {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").context("not run by cargo; try `cargo xtask`")?;
    let here = PathBuf::from(here);
    Ok(here.parent().context("xtask has no workspace around it")?.to_owned())
}
