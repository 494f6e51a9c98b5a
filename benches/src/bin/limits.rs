//! Runs every candidate in every scenario, prints the tables, and writes the plot.
//!
//! ```text
//! limits <file.svg>
//! ```
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "its output is what it is run for")]

use anyhow::{Context, Result, anyhow};
use portcullis_benches::limits::{Bench, plot, table};

fn main() -> Result<()> {
    let file = std::env::args_os().nth(1).context("usage: limits <file.svg>")?;
    let bench = Bench::run()?;
    let picture = plot::render(&bench).map_err(|error| anyhow!("the plot: {error}"))?;
    std::fs::write(&file, picture).with_context(|| format!("{} cannot be written", file.display()))?;
    print!("{}", table::render(&bench));
    Ok(())
}
