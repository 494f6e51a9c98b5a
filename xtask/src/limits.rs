//! `cargo xtask bench limits`: what limits are worth under overload, in virtual time.

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::table;

/// The page with the tables.
const PAGE: &str = "benches/limits.md";
/// The plot that the page shows.
const PLOT: &str = "benches/limits.svg";

/// Runs the simulation and rewrites the page and the plot; with `check` only compares
/// them, and is false when they are not what comes out. No load changes what comes out.
pub(crate) fn run(shell: &Shell, check: bool) -> Result<bool> {
    let (tables, plot) = simulate(shell)?;
    let before = shell.read_file(PAGE)?;
    let page = table::replace(&before, &tables).with_context(|| format!("in {PAGE}"))?;
    if check {
        let same = [is_same(PAGE, &before, &page), is_same(PLOT, &shell.read_file(PLOT)?, &plot)];
        return Ok(same == [true, true]);
    }
    println!("\n{tables}");
    shell.write_file(PAGE, page)?;
    shell.write_file(PLOT, plot)?;
    println!("xtask bench: {PAGE} and {PLOT} are rewritten");
    Ok(true)
}

/// The tables and the plot.
fn simulate(shell: &Shell) -> Result<(String, String)> {
    let directory = shell.create_temp_dir()?;
    let plot = directory.path().join("limits.svg");
    let tables =
        cmd!(shell, "cargo run --quiet --release --package portcullis-benches --bin limits -- {plot}")
            .read()?;
    Ok((tables, shell.read_file(&plot)?))
}

fn is_same(file: &str, committed: &str, now: &str) -> bool {
    let difference = committed.lines().zip(now.lines()).find(|(committed, now)| committed != now);
    if let Some((committed, now)) = difference {
        eprintln!("xtask bench: {file} says\n{committed}\nand now it is\n{now}");
    }
    if committed != now {
        eprintln!("xtask bench: {file} is not up to date; run `cargo xtask bench limits`");
    }
    committed == now
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn one_other_line_or_one_line_less_is_not_the_same() {
        assert!(is_same("page", "a\nb\n", "a\nb\n"));
        assert!(!is_same("page", "a\nb\n", "a\nc\n"));
        assert!(!is_same("page", "a\nb\n", "a\n"));
    }
}
