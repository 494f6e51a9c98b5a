//! Counts the allocations of one job, or the bytes that policies hold.
//!
//! ```text
//! allocations <row> <peer> <n>   allocations of a call, counted over n
//! allocations memory             the bytes of each thing that is measured, one a line
//! ```
//!
//! A program of its own, because the counting allocator is part of it, and its
//! instructions would be counted with those of the job.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "its output is what it is run for")]

mod memory;

use anyhow::{Context, Result, bail};
use portcullis_benches::{Row, peers, run};
use tokio::runtime::Builder;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["memory"] => memory::print(),
        [row, peer, calls] => count(row, peer, calls.parse()?),
        _ => bail!("usage: allocations <row> <peer> <n> | allocations memory"),
    }
}

fn count(row: &str, peer: &str, calls: u64) -> Result<()> {
    let row = Row::named(row).with_context(|| format!("no row {row}"))?;
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let _entered = runtime.enter();
    let mut job = peers::job(peer, row).with_context(|| format!("no peer {peer}, or not this row"))?;

    // What is allocated once, for good, is not what a call costs.
    run(job.as_mut(), row, calls)?;
    let mut ran = Ok(());
    let counted = allocation_counter::measure(|| ran = run(job.as_mut(), row, calls));
    ran?;
    println!("{:.4}", counted.count_total as f64 / calls as f64);
    Ok(())
}
