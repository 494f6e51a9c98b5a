//! The Python that some tests run servers with: an environment of the project's own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::setup::{self, Purpose};

/// Where it is, for the tests too.
const HOME: &str = "target/python";
/// What is in it.
const REQUIREMENTS: &str = "tests/servers/requirements.txt";
/// The name of an interpreter that the tests are to use instead.
const OVERRIDE: &str = "PORTCULLIS_TEST_PYTHON";

/// Makes the environment, unless it is there and as it is to be.
pub(crate) fn setup(shell: &Shell) -> Result<()> {
    let wanted = fs::read_to_string(shell.current_dir().join(REQUIREMENTS)).context(REQUIREMENTS)?;
    let home = shell.current_dir().join(HOME);
    let installed = home.join("installed.txt");
    let had = fs::read_to_string(&installed).unwrap_or_default();
    if std::env::var_os(OVERRIDE).is_some() || (had == wanted && interpreter(&home).exists()) {
        return Ok(());
    }
    println!("{HOME} is missing or old: gRPC servers in Python are foreign peers of the tests.");
    setup::packages(shell, Purpose::Python)?;
    install(shell, &home).with_context(|| by_hand(&wanted))?;
    // Last, so that what was broken off is begun anew.
    Ok(fs::write(installed, wanted)?)
}

fn install(shell: &Shell, home: &Path) -> Result<()> {
    cmd!(shell, "python3 -m venv --clear {home}").run()?;
    let python = interpreter(home);
    let pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet"];
    // A build from source takes longer than all tests, and fails without a C++ compiler.
    cmd!(shell, "{python} {pip...} --only-binary :all: --no-deps --requirement {REQUIREMENTS}").run()?;
    Ok(())
}

fn interpreter(home: &Path) -> PathBuf {
    home.join("bin/python3")
}

fn by_hand(wanted: &str) -> String {
    let packages: Vec<_> = wanted.lines().filter(|line| !line.starts_with('#')).collect();
    format!(
        "no Python for the tests. It takes a python3 with venv, and these packages from PyPI: {}. Where there is no \
         way to PyPI, install them otherwise and name that interpreter in {OVERRIDE}",
        packages.join(" ")
    )
}
