//! What a call costs: instructions and locked instructions from callgrind,
//! allocations from a program with a counting allocator, time from a clock.

use std::path::PathBuf;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// Calls of the first run; the second makes twice as many. More than any
/// breaker's window, so that the difference is of calls in the steady state.
const CALLS: u64 = 4000;

/// Where callgrind counts: in the loop, and not while a million keys are put in place for it.
const COUNTED: &str = "portcullis_benches::job::run*";

/// The cost of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) instructions: u64,
    /// Instructions that lock the bus: atomic read-modify-writes.
    pub(crate) locked: u64,
    pub(crate) allocations: u64,
}

/// The time of one call, in one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    pub(crate) nanoseconds: f64,
    /// Throughput of two threads over that of one, where it is asked and could be measured.
    pub(crate) two_over_one: Option<f64>,
}

/// The built programs of `portcullis-benches`.
pub(crate) struct Programs<'a> {
    shell: &'a Shell,
    directory: PathBuf,
}

impl<'a> Programs<'a> {
    /// Builds them.
    pub(crate) fn build(shell: &'a Shell) -> Result<Self> {
        cmd!(shell, "cargo build --release --package portcullis-benches").run()?;
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        Ok(Self { shell, directory: shell.current_dir().join(target).join("release") })
    }

    /// Every row and peer there is, by name.
    pub(crate) fn list(&self) -> Result<Vec<(String, String)>> {
        let calls = self.directory.join("calls");
        let list = cmd!(self.shell, "{calls} list").quiet().read()?;
        let pair = |line: &str| line.split_once(' ').map(|(row, peer)| (row.to_owned(), peer.to_owned()));
        list.lines().map(|line| pair(line).with_context(|| format!("not a row and a peer: {line}"))).collect()
    }

    /// Counts; exact, and the same whatever else the machine does.
    pub(crate) fn cost(&self, row: &str, peer: &str) -> Result<Cost> {
        let (once_instructions, once_locked) = self.callgrind(row, peer, CALLS)?;
        let (twice_instructions, twice_locked) = self.callgrind(row, peer, 2 * CALLS)?;
        Ok(Cost {
            instructions: per_call(once_instructions, twice_instructions),
            locked: per_call(once_locked, twice_locked),
            allocations: self.allocations(row, peer)?,
        })
    }

    /// Measures; as good as the machine is quiet.
    pub(crate) fn time(&self, row: &str, peer: &str) -> Result<Time> {
        let calls = self.directory.join("calls");
        let line = cmd!(self.shell, "{calls} time {row} {peer}").quiet().read()?;
        let (nanoseconds, ratio) = line.split_once(' ').context("`calls time` says two numbers")?;
        Ok(Time { nanoseconds: nanoseconds.parse()?, two_over_one: ratio.parse().ok() })
    }

    /// The bytes that policies hold, by name.
    pub(crate) fn memory(&self) -> Result<Vec<(String, u64)>> {
        let program = self.directory.join("allocations");
        let lines = cmd!(self.shell, "{program} memory").quiet().read()?;
        let parse = |line: &str| {
            let (name, bytes) =
                line.split_once(' ').with_context(|| format!("not a name and a number: {line}"))?;
            Ok((name.to_owned(), bytes.parse()?))
        };
        lines.lines().map(parse).collect()
    }

    fn callgrind(&self, row: &str, peer: &str, calls: u64) -> Result<(u64, u64)> {
        let program = self.directory.join("calls");
        let out = self.directory.join("callgrind.out");
        let calls = calls.to_string();
        cmd!(
            self.shell,
            "valgrind --quiet --tool=callgrind --collect-bus=yes --toggle-collect={COUNTED} --callgrind-out-file={out} {program} {row} {peer} {calls}"
        )
        .quiet()
        .run()?;
        totals(&self.shell.read_file(&out)?)
            .with_context(|| format!("{row} {peer}: callgrind counted nothing"))
    }

    fn allocations(&self, row: &str, peer: &str) -> Result<u64> {
        let program = self.directory.join("allocations");
        let calls = CALLS.to_string();
        let counted: f64 = cmd!(self.shell, "{program} {row} {peer} {calls}").quiet().read()?.parse()?;
        // Rounded up: an allocation now and then is not none.
        Ok(counted.ceil() as u64)
    }
}

/// Instructions and bus locks, from the line that sums up callgrind's output:
/// `totals: 3356437 24134`, in the order of `events: Ir Ge`.
pub(crate) fn totals(output: &str) -> Option<(u64, u64)> {
    let line = output.lines().find_map(|line| line.strip_prefix("totals:"))?;
    let mut numbers = line.split_whitespace().map(str::parse);
    let instructions = numbers.next()?.ok()?;
    // A count that stayed zero is left out.
    let locked = numbers.next().and_then(Result::ok).unwrap_or(0);
    Some((instructions, locked))
}

/// The difference of a run of [`CALLS`] and one of twice as many, per call, to the nearest.
fn per_call(once: u64, twice: u64) -> u64 {
    (twice.saturating_sub(once) + CALLS / 2) / CALLS
}

#[cfg(test)]
mod tests {
    use super::{CALLS, per_call, totals};

    #[test]
    fn totals_are_read_with_and_without_locks() {
        assert_eq!(totals("events: Ir Ge\ntotals: 3356437 24134\n"), Some((3_356_437, 24_134)));
        assert_eq!(totals("events: Ir Ge\ntotals: 3356437\n"), Some((3_356_437, 0)));
        assert_eq!(totals("events: Ir Ge\n"), None);
    }

    #[test]
    fn a_call_is_the_difference_and_not_the_start_of_the_program() {
        let start = 1_000_000;
        assert_eq!(per_call(start + 75 * CALLS, start + 150 * CALLS), 75);
        assert_eq!(per_call(start + 5, start), 0);
    }
}
