//! What the tests, the benches and CI need beyond a Rust toolchain, and how it
//! comes onto the machine.

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use crate::{node, python};

/// What a thing is needed for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Test,
    /// Tests that need a Python; see [`python`].
    Python,
    /// Tests that need something of npm's; see [`node`].
    Node,
    Bench,
    Ci,
}

/// A package of Debian's. A test that needs one has its line here, and nothing else to do.
struct Package {
    name: &'static str,
    /// What succeeds where it is there.
    probe: &'static [&'static str],
    purpose: Purpose,
    why: &'static str,
}

const PACKAGES: &[Package] = &[
    Package {
        name: "valgrind",
        probe: &["valgrind", "--version"],
        purpose: Purpose::Bench,
        why: "counts the instructions of a call",
    },
    Package {
        name: "wrk",
        probe: &["sh", "-c", "command -v wrk"],
        purpose: Purpose::Bench,
        why: "asks servers as fast as they answer",
    },
    Package {
        name: "curl",
        probe: &["curl", "--version"],
        purpose: Purpose::Test,
        why: "asks for health as container health checks do",
    },
    Package {
        name: "prometheus",
        probe: &["promtool", "--version"],
        purpose: Purpose::Test,
        why: "scrapes a service, evaluates the alerts, and answers the dashboard's queries",
    },
    Package {
        name: "prometheus-alertmanager",
        probe: &["amtool", "--version"],
        purpose: Purpose::Test,
        why: "is told of the alerts",
    },
    Package {
        name: "chromium",
        probe: &["chromium", "--version"],
        purpose: Purpose::Test,
        why: "shows the live page, which the tests use as people do",
    },
    Package {
        name: "npm",
        probe: &["npm", "--version"],
        purpose: Purpose::Node,
        why: "gets what looks at the live page for whom it keeps out",
    },
    Package {
        name: "python3",
        probe: &["python3", "--version"],
        purpose: Purpose::Python,
        why: "runs servers that are not ours",
    },
    Package {
        name: "python3-venv",
        probe: &["python3", "-c", "import ensurepip, venv"],
        purpose: Purpose::Python,
        why: "keeps what those servers need in a place of its own",
    },
];

/// Packages that Debian makes services of.
const SERVICES: &[&str] = &["prometheus", "prometheus-alertmanager"];

/// A cargo subcommand, from the package registry.
struct Tool {
    name: &'static str,
    subcommand: &'static str,
    purpose: Purpose,
    why: &'static str,
    /// What happens without it; `None` when nothing can.
    otherwise: Option<&'static str>,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "cargo-nextest",
        subcommand: "nextest",
        purpose: Purpose::Test,
        why: "runs every test in a process of its own",
        otherwise: Some("`cargo test` runs the tests instead"),
    },
    Tool {
        name: "cargo-deny",
        subcommand: "deny",
        purpose: Purpose::Ci,
        why: "checks licences, sources and which crate may import what",
        otherwise: None,
    },
];

/// Installs all there is, and says so.
pub(crate) fn everything(shell: &Shell) -> Result<()> {
    for purpose in [Purpose::Test, Purpose::Bench, Purpose::Ci] {
        setup(shell, purpose)?;
    }
    let lacking: Vec<_> = TOOLS.iter().filter(|tool| !has_subcommand(shell, tool.subcommand)).collect();
    match lacking.as_slice() {
        [] => println!("xtask setup: everything is there"),
        tools => {
            let names: Vec<_> = tools.iter().map(|tool| tool.name).collect();
            println!(
                "xtask setup: it works without {}, see above; everything else is there",
                names.join(", ")
            );
        }
    }
    Ok(())
}

/// Installs what `purpose` needs and this machine lacks.
pub(crate) fn setup(shell: &Shell, purpose: Purpose) -> Result<()> {
    packages(shell, purpose)?;
    for tool in TOOLS.iter().filter(|tool| tool.purpose == purpose) {
        install(shell, tool)?;
    }
    match purpose {
        Purpose::Test => {
            python::setup(shell)?;
            node::setup(shell)
        }
        Purpose::Python | Purpose::Node | Purpose::Bench | Purpose::Ci => Ok(()),
    }
}

/// Whether cargo knows the subcommand.
pub(crate) fn has_subcommand(shell: &Shell, subcommand: &str) -> bool {
    cmd!(shell, "cargo {subcommand} --version").quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

fn install(shell: &Shell, tool: &Tool) -> Result<()> {
    let Tool { name, subcommand, why, .. } = tool;
    if has_subcommand(shell, subcommand) {
        return Ok(());
    }
    println!("{name} is missing: it {why}. Installing it takes some minutes, once.");
    let installed = cmd!(shell, "cargo install --locked {name}").run();
    match (installed, tool.otherwise) {
        (Ok(()), _) => Ok(()),
        (Err(error), None) => Err(error.into()),
        (Err(error), Some(otherwise)) => {
            eprintln!("xtask: {error}; {otherwise}");
            Ok(())
        }
    }
}

/// Installs the packages that `purpose` needs, where that can be done.
pub(crate) fn packages(shell: &Shell, purpose: Purpose) -> Result<()> {
    let missing: Vec<&Package> = PACKAGES
        .iter()
        .filter(|package| package.purpose == purpose && !works(shell, package.probe))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    for Package { name, why, .. } in &missing {
        println!("{name} is missing: it {why}.");
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    if !is_root(shell) || !works(shell, &["apt-get", "--version"]) {
        bail!(
            "install {0} as root: on Debian by `apt-get install --no-install-recommends {0}`, elsewhere by what \
             your system has for it. Then run this again",
            names.join(" ")
        );
    }
    apt_get(shell, &names)?;
    quieten(shell, &names)
}

/// Debian makes services of some packages, which would listen on every address: the tests start what they need.
fn quieten(shell: &Shell, installed: &[&str]) -> Result<()> {
    let systemd = shell.path_exists("/run/systemd/system");
    for name in installed.iter().filter(|name| systemd && SERVICES.contains(name)) {
        cmd!(shell, "systemctl disable --now {name}").run()?;
    }
    Ok(())
}

/// The lists of packages may be old or absent; they are fetched only when that shows.
fn apt_get(shell: &Shell, names: &[&str]) -> Result<()> {
    let _quiet = shell.push_env("DEBIAN_FRONTEND", "noninteractive");
    let install = || cmd!(shell, "apt-get install -y --no-install-recommends {names...}").run();
    if install().is_err() {
        cmd!(shell, "apt-get update").run()?;
        install()?;
    }
    Ok(())
}

fn is_root(shell: &Shell) -> bool {
    cmd!(shell, "id -u").quiet().read().is_ok_and(|id| id == "0")
}

/// Whether a program is there and does as it is told.
fn works(shell: &Shell, command: &[&str]) -> bool {
    let [program, arguments @ ..] = command else { return false };
    cmd!(shell, "{program} {arguments...}").quiet().ignore_stdout().ignore_stderr().run().is_ok()
}
