//! `cargo xtask test`: everything that is a test, in one command.

use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use crate::setup::{self, Purpose};
use crate::step::Steps;

/// How nextest runs the tests.
const CONFIG: &str = "xtask/nextest.toml";
/// How often loom lets a thread be interrupted where it need not be: two find
/// nearly every bug, and three take hours.
const PREEMPTIONS: &str = "2";

/// Runs the tests; true when all passed. With arguments, which nextest is
/// given, only the tests they choose.
pub(crate) fn run(shell: &Shell, arguments: &[String]) -> Result<bool> {
    let mut steps = Steps::default();
    steps.run("setup", || setup::setup(shell, Purpose::Test));
    steps.run("tests", || tests(shell, arguments));
    if arguments.is_empty() {
        steps.run("doc tests", || Ok(cmd!(shell, "cargo test --doc --workspace --all-features").run()?));
        steps.run("loom models", || loom(shell));
    }
    Ok(steps.summary("test"))
}

fn tests(shell: &Shell, arguments: &[String]) -> Result<()> {
    if setup::has_subcommand(shell, "nextest") {
        let config = format!("xtask:{}", shell.current_dir().join(CONFIG).display());
        cmd!(
            shell,
            "cargo nextest run --workspace --all-features --tool-config-file {config} {arguments...}"
        )
        .run()?;
    } else {
        cmd!(
            shell,
            "cargo test --no-fail-fast --workspace --all-features --lib --bins --tests {arguments...}"
        )
        .run()?;
    }
    Ok(())
}

/// Every interleaving of a few threads, in the modules named `loom_tests`.
/// A `cfg` of our own: plain `--cfg loom` would take `tokio::net` away.
fn loom(shell: &Shell) -> Result<()> {
    let flags = format!("{} --cfg portcullis_loom", std::env::var("RUSTFLAGS").unwrap_or_default());
    let _flags = shell.push_env("RUSTFLAGS", flags.trim());
    let _preemptions = shell.push_env("LOOM_MAX_PREEMPTIONS", PREEMPTIONS);
    // A directory of its own, or the flags would make the next build start anew.
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned()) + "/loom";
    let models = ["test", "--release", "-p", "portcullis-core", "--lib", "--target-dir", &target, "loom"];

    let list = cmd!(shell, "cargo {models...} -- --list").read()?;
    let count = list.lines().filter(|line| line.ends_with(": test")).count();
    ensure!(count > 0, "there is no loom model to run: what passed would mean nothing");
    Ok(cmd!(shell, "cargo {models...}").run()?)
}
