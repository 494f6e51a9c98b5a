//! `cargo xtask bench`: every row of every peer, counted in one run.

use anyhow::{Context, Result, ensure};
use xshell::Shell;

use crate::count::{Cost, Programs, Time};
use crate::limits;
use crate::setup::{self, Purpose};
use crate::table::{self, Cell, MEMORY, ROWS, Row, WITHIN};

/// The page with the tables.
const PAGE: &str = "benches/README.md";
/// The columns that are ours.
const OURS: &str = "portcullis";
/// How much more than committed a call may cost before `--check` fails: a new
/// compiler moves a few instructions, a lock or a clock moves many.
const TOLERANCE: f64 = 1.10;
/// Rounds of time, spread over the whole run: where the host puts two threads
/// changes from minute to minute, and so does what they cost each other.
const ROUNDS: usize = 3;
/// Rounds more for a cell whose two threads never had two cores for themselves.
const MORE_ROUNDS: usize = 10;

/// What was asked for.
#[derive(Default)]
pub(crate) struct Options {
    /// Only compare with what is committed.
    pub(crate) check: bool,
    /// Only this row.
    pub(crate) row: Option<String>,
    /// Not what a call costs: what limits do under overload.
    pub(crate) limits: bool,
}

/// Runs the benches; false when `--check` found something.
pub(crate) fn run(shell: &Shell, options: &Options) -> Result<bool> {
    if options.limits {
        return limits::run(shell, options.check);
    }
    setup::setup(shell, Purpose::Bench)?;
    let programs = Programs::build(shell)?;
    let mut pairs = programs.list()?;
    pairs.retain(|(row, peer)| {
        options.row.as_ref().is_none_or(|only| only == row) && (!options.check || is_ours(peer))
    });
    ensure!(!pairs.is_empty(), "there is no such row; the rows are {}", names());

    let memory = if options.row.is_none() { programs.memory()? } else { Vec::new() };
    let mut cells = costs(&programs, pairs)?;
    if options.check {
        let (costs, memory) = (check(&shell.read_file(PAGE)?, &cells), check_memory(&memory));
        return Ok(costs? & memory? & check_together(&cells));
    }
    times(&programs, &mut cells)?;
    let mut measured = table::render(&cells);
    if options.row.is_none() {
        measured += &format!("\n{}", table::render_memory(&memory));
    }
    println!("\n{measured}");
    if options.row.is_none() {
        shell.write_file(PAGE, table::replace(&shell.read_file(PAGE)?, &measured)?)?;
        println!("xtask bench: {PAGE} is rewritten");
    }
    Ok(true)
}

fn is_ours(peer: &str) -> bool {
    peer.starts_with(OURS)
}

fn names() -> String {
    ROWS.iter().map(|row| row.name).collect::<Vec<_>>().join(", ")
}

fn costs(programs: &Programs<'_>, pairs: Vec<(String, String)>) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (row, peer) in pairs {
        ensure!(
            ROWS.iter().any(|known| known.name == row),
            "the row {row} has no line in xtask/src/table.rs"
        );
        let cost = programs.cost(&row, &peer)?;
        let Cost { instructions, locked, allocations } = cost;
        println!(
            "{row:18} {peer:18} {instructions:6} instructions, {locked:3} locked, {allocations:2} allocations"
        );
        cells.push(Cell { row, peer, cost, time: None });
    }
    Ok(cells)
}

fn times(programs: &Programs<'_>, cells: &mut [Cell]) -> Result<()> {
    for round in 1..=ROUNDS + MORE_ROUNDS {
        println!("time, round {round}");
        let shared = shared_rows(cells);
        for cell in &mut *cells {
            if round > ROUNDS && (ratio(cell).is_some() || !shared.contains(&cell.row)) {
                continue;
            }
            let time = programs.time(&cell.row, &cell.peer)?;
            cell.time = Some(cell.time.map_or(time, |before| worse_together(before, time)));
        }
    }
    Ok(())
}

/// The rows of which some cell has a ratio, so that the others can have one.
fn shared_rows(cells: &[Cell]) -> Vec<String> {
    cells.iter().filter(|cell| ratio(cell).is_some()).map(|cell| cell.row.clone()).collect()
}

fn ratio(cell: &Cell) -> Option<f64> {
    cell.time.and_then(|time| time.two_over_one)
}

/// The least time of one thread, since noise only adds; the worst of two
/// threads, since two that the host puts on one core share a cache.
fn worse_together(one: Time, other: Time) -> Time {
    let ratios = [one.two_over_one, other.two_over_one];
    Time {
        nanoseconds: one.nanoseconds.min(other.nanoseconds),
        two_over_one: ratios.into_iter().flatten().reduce(f64::min),
    }
}

/// Compares the counts, which no load changes, with the committed ones.
fn check(page: &str, cells: &[Cell]) -> Result<bool> {
    let mut complaints = 0;
    for cell in cells {
        let row = ROWS.iter().find(|row| row.name == cell.row).context("unknown rows were refused before")?;
        if let Err(complaint) = compare(page, row, cell) {
            eprintln!("xtask bench: {} {}: {complaint}", cell.row, cell.peer);
            complaints += 1;
        }
    }
    println!("xtask bench: {} rows checked, {complaints} got worse", cells.len());
    Ok(complaints == 0)
}

/// Compares rows with each other of which something was promised; those that were not counted in this run are not.
fn check_together(cells: &[Cell]) -> bool {
    let counted = |row: &str| {
        cells.iter().find(|cell| (cell.row.as_str(), cell.peer.as_str()) == (row, OURS)).map(|cell| cell.cost)
    };
    let mut well = true;
    for known in WITHIN {
        let (Some(row), Some(of)) = (counted(known.row), counted(known.of)) else { continue };
        let allowed = (of.instructions as f64 * known.times) as u64;
        if row.instructions > allowed {
            eprintln!(
                "xtask bench: {}: {} instructions, {allowed} allowed, which is {} times those of {}",
                known.row, row.instructions, known.times, known.of
            );
            well = false;
        }
    }
    well
}

/// Bytes change with no load either, and are held against what was promised.
fn check_memory(measured: &[(String, u64)]) -> Result<bool> {
    let mut well = true;
    for known in MEMORY {
        let measured = measured.iter().find(|(name, _)| name == known.name);
        let (_, bytes) =
            measured.with_context(|| format!("the memory of `{}` was not measured", known.name))?;
        if *bytes > known.limit {
            eprintln!(
                "xtask bench: memory of {}: {bytes} bytes, at most {} allowed",
                known.name, known.limit
            );
            well = false;
        }
    }
    Ok(well)
}

fn compare(page: &str, row: &Row, cell: &Cell) -> Result<()> {
    let Cost { instructions, allocations, .. } = cell.cost;
    ensure!(!row.is_happy || allocations == 0, "{allocations} allocations where there must be none");
    let committed =
        table::committed(page, row, &cell.peer).context("not in the table: run `cargo xtask bench`")?;
    let allowed = (committed as f64 * TOLERANCE) as u64;
    ensure!(instructions <= allowed, "{instructions} instructions, {committed} committed, {allowed} allowed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{check, check_memory, check_together};
    use crate::count::Cost;
    use crate::table::{Cell, MEMORY, render, replace};

    fn closed(instructions: u64, allocations: u64) -> Cell {
        let cost = Cost { instructions, locked: 0, allocations };
        Cell { row: "closed".to_owned(), peer: "portcullis".to_owned(), cost, time: None }
    }

    #[test]
    fn more_instructions_or_any_allocation_fail_the_check() {
        let page = "<!-- cargo xtask bench: begin --><!-- cargo xtask bench: end -->";
        let page = replace(page, &render(&[closed(100, 0)])).unwrap();

        assert!(check(&page, &[closed(110, 0)]).unwrap());
        assert!(!check(&page, &[closed(111, 0)]).unwrap());
        assert!(!check(&page, &[closed(90, 1)]).unwrap());
    }

    #[test]
    fn more_bytes_than_promised_fail_the_check() {
        let mut measured: Vec<_> = MEMORY.iter().map(|known| (known.name.to_owned(), known.limit)).collect();
        assert!(check_memory(&measured).unwrap());
        measured[0].1 += 1;
        assert!(!check_memory(&measured).unwrap());
        assert!(check_memory(&[]).is_err());
    }

    #[test]
    fn what_is_watched_may_cost_a_little_more() {
        let counted = |row: &str, instructions| Cell { row: row.to_owned(), ..closed(instructions, 0) };
        assert!(check_together(&[counted("stack", 400), counted("stack-observed", 640)]));
        assert!(!check_together(&[counted("stack", 400), counted("stack-observed", 641)]));
        assert!(check_together(&[counted("stack-observed", 641)]), "there is nothing to compare it with");
    }

    #[test]
    fn a_row_that_was_never_committed_fails_the_check() {
        assert!(!check("", &[closed(1, 0)]).unwrap());
    }
}
