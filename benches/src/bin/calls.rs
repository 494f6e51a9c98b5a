//! Runs one job a number of times, to be counted by callgrind, or timed.
//!
//! ```text
//! calls list                     every row and peer there is, one pair a line
//! calls <row> <peer> <n>         n calls on one thread
//! calls time <row> <peer>        nanoseconds per call, and the throughput of two threads
//!                                on one policy over that of one (- when the machine was busy)
//! ```
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "its output is what it is run for")]

use anyhow::{Context, Result, bail};
use portcullis_benches::{Job, Row, peers, run, throughput};
use tokio::runtime::{Builder, Runtime};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = runtime()?;
    let _entered = runtime.enter();
    match arguments.as_slice() {
        ["list"] => list(),
        ["time", row, peer] => time(row, peer),
        [row, peer, calls] => count(row, peer, calls.parse()?),
        _ => bail!("usage: calls list | calls <row> <peer> <n> | calls time <row> <peer>"),
    }
}

/// Never driven: the jobs are polled by hand, and only ask it for timers.
fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_time().build()?)
}

fn list() -> Result<()> {
    for peer in peers::ALL {
        for row in Row::ALL {
            if (peer.job)(row).is_some() {
                println!("{} {}", row.name(), peer.name);
            }
        }
    }
    Ok(())
}

fn count(row: &str, peer: &str, calls: u64) -> Result<()> {
    let (row, mut job) = job(row, peer)?;
    run(job.as_mut(), row, calls)
}

fn time(row: &str, peer: &str) -> Result<()> {
    let (row, job) = job(row, peer)?;
    let measured = throughput(job, row)?;
    let ratio = measured.two.map_or_else(|| "-".to_owned(), |two| format!("{:.2}", two / measured.one));
    println!("{:.2} {ratio}", 1e9 / measured.one);
    Ok(())
}

fn job(row: &str, peer: &str) -> Result<(Row, Box<dyn Job>)> {
    let row = Row::named(row).with_context(|| format!("no row {row}"))?;
    let job =
        peers::job(peer, row).with_context(|| format!("no peer {peer}, or it has no row {}", row.name()))?;
    Ok((row, job))
}
