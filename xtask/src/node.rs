//! What some tests use from npm: files that a browser runs, in a directory of the project's own.

use std::fs;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::setup::{self, Purpose};

/// Where it is, for the tests too.
const HOME: &str = "target/node";
/// What is in it: each package with its checksum.
const MANIFESTS: [&str; 2] = ["tests/console/package.json", "tests/console/package-lock.json"];
/// The name of a file that the tests are to use instead.
const OVERRIDE: &str = "PORTCULLIS_TEST_AXE";

/// Installs the packages, unless they are there and as they are to be.
pub(crate) fn setup(shell: &Shell) -> Result<()> {
    let read =
        |path: &&str| fs::read_to_string(shell.current_dir().join(path)).with_context(|| (*path).to_owned());
    let wanted = MANIFESTS.iter().map(read).collect::<Result<Vec<_>>>()?.concat();
    let home = shell.current_dir().join(HOME);
    let installed = home.join("installed.txt");
    if std::env::var_os(OVERRIDE).is_some() || fs::read_to_string(&installed).is_ok_and(|had| had == wanted) {
        return Ok(());
    }
    println!("{HOME} is missing or old: axe-core looks for what keeps people out of the live page.");
    setup::packages(shell, Purpose::Node)?;
    fs::create_dir_all(&home)?;
    for manifest in MANIFESTS {
        shell.copy_file(manifest, &home)?;
    }
    install(shell).with_context(by_hand)?;
    // Last, so that what was broken off is begun anew.
    Ok(fs::write(installed, wanted)?)
}

/// The packages run nothing while they are installed, and are what the lock file says, or nothing.
fn install(shell: &Shell) -> Result<()> {
    let npm = ["--prefix", HOME, "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
    Ok(cmd!(shell, "npm ci {npm...}").run()?)
}

fn by_hand() -> String {
    format!(
        "no axe-core for the tests. It takes an npm, and a way to its registry. Where there is none, get axe-core otherwise, \
         and name its `axe.min.js` in {OVERRIDE}"
    )
}
