//! Instructions that a server needs for a request, by callgrind: the same whatever else the machine does.

use anyhow::{Context, Result, ensure};
use xshell::Shell;

use super::server::Program;
use super::wrk::{Answered, Load};
use crate::count::totals;

/// Two loads, of which the second answers a multiple of the first's requests.
const SECONDS: [u64; 2] = [1, 4];
/// A server that is fifty times slower is soon late, and sheds load.
const CONNECTIONS: u32 = 4;
/// One in so many, that it sheds nevertheless, is in no figure to be seen.
const FEW: u64 = 100;

/// The difference of two runs of different length, by the difference of their requests: what a server does to start and
/// to end is in both.
pub(crate) fn per_request(shell: &Shell, program: &Program<'_>, variant: &str) -> Result<u64> {
    println!("counting the instructions of {variant}");
    let [short, long] = SECONDS.map(|seconds| count(shell, program, variant, seconds));
    let ((few, some), (many, more)) = (short?, long?);
    ensure!(many > few, "{variant}: {many} requests in the longer run, {few} in the shorter");
    Ok(more.saturating_sub(some) / (many - few))
}

/// How many requests were answered in so many seconds, and with how many instructions.
fn count(shell: &Shell, program: &Program<'_>, variant: &str, seconds: u64) -> Result<(u64, u64)> {
    let directory = shell.create_temp_dir()?;
    let out = directory.path().join("callgrind.out");
    let valgrind = ["valgrind", "--quiet", "--tool=callgrind"].map(str::to_owned);
    let under: Vec<_> =
        valgrind.into_iter().chain([format!("--callgrind-out-file={}", out.display())]).collect();
    let server = program.start_under(&under, variant)?;
    let load = Load { shell, seconds, connections: CONNECTIONS };
    let Answered { requests, refused, .. } = load.ask(server.url(), program.placement())?;
    server.end()?;
    ensure!(refused <= requests / FEW, "{refused} of {requests} requests were refused");
    let (instructions, _) = totals(&shell.read_file(&out)?).context("callgrind counted nothing")?;
    Ok((requests, instructions))
}
