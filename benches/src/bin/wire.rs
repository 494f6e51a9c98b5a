//! Serves one variant on loopback, until its input ends.
//!
//! ```text
//! wire list                every variant there is: its name, a tab, what stands before its handlers
//! wire serve <variant>     says the URL that is to be asked for; for each line of input it then says how many
//!                          nanoseconds this process has had a core
//! ```
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "its output is what it is run for")]

use std::time::Duration;

use anyhow::{Context, Result, bail};
use portcullis_benches::wire::{self, PATH, Variant};
use rustix::time::{ClockId, clock_gettime};
use tokio::{net::TcpListener, runtime::Builder};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["list"] => list(),
        ["serve", name] => return serve(wire::named(name).with_context(|| format!("no variant {name}"))?),
        _ => bail!("usage: wire list | wire serve <variant>"),
    }
    Ok(())
}

fn list() {
    for Variant { name, layers, .. } in wire::ALL {
        println!("{name}\t{layers}");
    }
}

/// The runtime is that of `#[tokio::main]`: as many threads as there are cores that this process may use.
fn serve(variant: Variant) -> Result<()> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let router = (variant.router)()?;
    println!("http://{}{PATH}", listener.local_addr()?);
    runtime.spawn(async move { axum::serve(listener, router).await });
    for line in std::io::stdin().lines() {
        line?;
        println!("{}", cpu().as_nanos());
    }
    Ok(())
}

/// How long all threads of this process together had a core.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // A time that has passed is not negative.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
