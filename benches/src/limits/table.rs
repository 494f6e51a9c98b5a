//! The figures as Markdown.

use std::fmt::Write;
use std::time::Duration;

use super::bench::{Bench, Row, find};
use super::candidate::all;
use super::figures::Figures;
use super::scenario::{INITIALS, LOADS, MOVED, Machine, STARTED, STEPPED};

/// The tables: goodput and p99 over load, and what came of the step and of a wrong start.
pub fn render(bench: &Bench) -> String {
    let goodput = over_load(bench, "goodput, % of the possible", |row| percent(row.figures.goodput));
    let p99 = over_load(bench, "p99 of the admitted, ms", |row| row.figures.p99.as_millis().to_string());
    let steps = STEPPED.map(|load| step(bench, load)).join("\n");
    [goodput, p99, steps, starts(bench), moved(bench)].join("\n")
}

fn over_load(bench: &Bench, corner: &str, show: impl Fn(&Row) -> String) -> String {
    let columns: Vec<_> = LOADS.iter().map(|load| format!("{load} ×")).collect();
    grid(corner, &columns, |name| {
        LOADS.iter().map(|load| bench.row(name, *load).map(&show).unwrap_or_default()).collect()
    })
}

fn step(bench: &Bench, load: f64) -> String {
    let columns = [
        "slower: goodput, %",
        "slower: settled, s",
        "back: goodput, %",
        "back: goodput ≥ 95 %, s",
        "back: settled, s",
    ];
    let columns = columns.map(str::to_owned);
    grid(&format!("the step at {load} ×"), &columns, |name| {
        bench.row(name, load).map(times).map(Vec::from).unwrap_or_default()
    })
}

fn times(row: &Row) -> [String; 5] {
    let Figures { slow, back, .. } = row.figures;
    [
        percent(slow.goodput),
        seconds(slow.settled),
        percent(back.goodput),
        seconds(back.recovered),
        seconds(back.settled),
    ]
}

fn starts(bench: &Bench) -> String {
    let columns = INITIALS.map(|limit| format!("from {limit}, s"));
    let settled = |name: &str| {
        let rows = bench.starts.iter().filter(|row| row.candidate.name == name);
        rows.map(|row| seconds(row.figures.start)).collect()
    };
    grid(&format!("settled at {STARTED} ×, by the limit at first"), &columns, settled)
}

fn moved(bench: &Bench) -> String {
    let goodput = MOVED.map(|load| format!("goodput at {load} ×, %"));
    let p99 = MOVED.map(|load| format!("p99 at {load} ×, ms"));
    let start = MOVED.map(|load| format!("settled at {load} ×, s"));
    let Machine { slots, service } = Machine::WIDE;
    let corner = format!("before {slots} slots of {} ms", service.as_millis());
    grid(&corner, &[goodput, p99, start].concat(), |name| {
        let rows = || MOVED.into_iter().filter_map(|load| find(&bench.moved, name, load));
        let goodput = rows().map(|row| percent(row.figures.goodput));
        let p99 = rows().map(|row| row.figures.p99.as_millis().to_string());
        let start = rows().map(|row| seconds(row.figures.start));
        goodput.chain(p99).chain(start).collect()
    })
}

/// Candidates of which `line` says nothing are left out.
fn grid(corner: &str, columns: &[String], line: impl Fn(&str) -> Vec<String>) -> String {
    let mut table =
        format!("| {corner} | {} |\n|---|{}\n", columns.join(" | "), "---:|".repeat(columns.len()));
    for candidate in all() {
        let cells = line(candidate.name);
        if !cells.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(table, "| {} | {} |", candidate.name, cells.join(" | "));
        }
    }
    table
}

fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or_else(|| "never".to_owned(), |time| format!("{:.1}", time.as_secs_f64()))
}
