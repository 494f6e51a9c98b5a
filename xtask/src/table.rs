//! The tables of `benches/README.md`: written by `cargo xtask bench`, and read
//! again by `--check`. `benches/limits.md` has the same markers.

use anyhow::{Context, Result};

use crate::count::{Cost, Time};

const BEGIN: &str = "<!-- cargo xtask bench: begin -->";
const END: &str = "<!-- cargo xtask bench: end -->";

/// A row as a reader sees it.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    title: &'static str,
    /// A call that goes well, which must not allocate.
    pub(crate) is_happy: bool,
}

/// Every row, in order. The names are those of `portcullis-benches`.
pub(crate) const ROWS: &[Row] = &[
    happy("closed", "breaker closed, last 100"),
    happy("closed-10", "breaker closed, last 10"),
    happy("closed-100000", "breaker closed, last 100,000"),
    happy("closed-time", "breaker closed, last 10 s"),
    happy("open", "breaker open, refusal"),
    Row { name: "open-boxed", title: "breaker open, refusal as a boxed error", is_happy: false },
    happy("half-failing", "breaker closed, half of the calls failing"),
    happy("half-failing-10", "the same, last 10"),
    happy("half-failing-100000", "the same, last 100,000"),
    happy("half-failing-time", "the same, last 10 s"),
    happy("keyed-1", "breaker by key, one key"),
    happy("keyed-1m", "breaker by key, 16 of a million keys"),
    happy("retry-none", "retry without budget, none needed"),
    happy("retry-none-budget", "retry with budget, none needed"),
    happy("retry-once", "retry without budget, one retry, no wait"),
    happy("retry-once-budget", "retry with budget, one retry, no wait"),
    happy("hedge-ready", "hedge, primary wins at once"),
    happy("hedge-pending", "hedge, primary wins, pending once"),
    happy("bulkhead", "bulkhead"),
    happy("bulkhead-1", "bulkhead by key, one key"),
    happy("bulkhead-1m", "bulkhead by key, 16 of a million keys"),
    happy("adaptive-limit", "adaptive limit"),
    happy("rate-limit", "rate limit"),
    happy("rate-limit-1", "rate limit by key, one key"),
    happy("rate-limit-1m", "rate limit by key, 16 of a million keys"),
    happy("throttle", "throttle, nothing held back"),
    happy("load-shed", "load shedder, nothing shed"),
    happy("drain", "drain, serving"),
    happy("health", "health, a request of another path"),
    happy("fallback", "fallback, none needed"),
    Row { name: "coalesce", title: "coalesce, nobody else", is_happy: false },
    Row { name: "executor", title: "executor, a task of its own", is_happy: false },
    happy("balance", "balancer, two of ten endpoints drawn"),
    happy("timeout-ready", "timeout, ready at once"),
    happy("timeout-pending", "timeout, pending once"),
    happy("stack", "timeout + retry + breaker + bulkhead"),
    happy("pipeline", "the same, put together by a pipeline"),
    happy("observe", "observer, nobody subscribed"),
    happy("stack-observed", "the same four, calls and attempts observed"),
];

const fn happy(name: &'static str, title: &'static str) -> Row {
    Row { name, title, is_happy: true }
}

/// What a row may come to by another's instructions, in the same run.
pub(crate) struct Within {
    pub(crate) row: &'static str,
    pub(crate) of: &'static str,
    /// So many times as much.
    pub(crate) times: f64,
}

/// What was promised of rows together.
pub(crate) const WITHIN: &[Within] = &[
    // Spans and counts of calls and attempts, while nobody subscribes to them. What is wanted is 1.3.
    Within { row: "stack-observed", of: "stack", times: 1.6 },
];

/// What is measured in bytes.
pub(crate) struct Memory {
    pub(crate) name: &'static str,
    title: &'static str,
    /// More than this is a regression.
    pub(crate) limit: u64,
}

/// All of it, in order. The names are those of `allocations memory`.
pub(crate) const MEMORY: &[Memory] = &[
    Memory { name: "closed", title: "breaker, last 100, after 1000 successes", limit: 512 },
    Memory { name: "half-failing", title: "the same, half of them failed", limit: 512 },
    Memory {
        name: "minute",
        title: "breaker, last 60 s, after 40,000 calls, half of them failed",
        limit: 1024,
    },
    Memory { name: "future", title: "response future, on top of the inner one", limit: 64 },
    Memory { name: "key", title: "breaker by key, each of a million keys", limit: 256 },
];

/// One measured cell.
pub(crate) struct Cell {
    pub(crate) row: String,
    pub(crate) peer: String,
    pub(crate) cost: Cost,
    pub(crate) time: Option<Time>,
}

/// The two tables, as Markdown.
pub(crate) fn render(cells: &[Cell]) -> String {
    let costs = grid(cells, "instructions (locked, allocations)", |cell| {
        let Cost { instructions, locked, allocations } = cell.cost;
        Some(format!("{instructions} ({locked}, {allocations})"))
    });
    let times = grid(cells, "nanoseconds", |cell| cell.time.map(|time| format!("{:.1}", time.nanoseconds)));
    let threads = grid(cells, "two threads over one", |cell| {
        cell.time.and_then(|time| time.two_over_one).map(|ratio| format!("{ratio:.2}"))
    });
    [costs, times, threads].into_iter().filter(|table| !table.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The table of bytes, as Markdown.
pub(crate) fn render_memory(measured: &[(String, u64)]) -> String {
    let mut table = "| memory of portcullis | bytes | at most |\n|---|---:|---:|\n".to_owned();
    for Memory { name, title, limit } in MEMORY {
        if let Some((_, bytes)) = measured.iter().find(|(measured, _)| measured == name) {
            table += &format!("| {title} | {bytes} | {limit} |\n");
        }
    }
    table
}

/// A table of what `show` shows; rows of which it shows nothing are left out.
fn grid(cells: &[Cell], corner: &str, show: impl Fn(&Cell) -> Option<String>) -> String {
    let mut peers: Vec<&str> = Vec::new();
    for cell in cells {
        if !peers.contains(&cell.peer.as_str()) {
            peers.push(&cell.peer);
        }
    }
    let at = |row: &Row, peer: &str| {
        cells.iter().find(|cell| cell.row == row.name && cell.peer == peer).and_then(&show)
    };
    let mut lines = Vec::new();
    for row in ROWS {
        let shown: Vec<_> = peers.iter().map(|peer| at(row, peer)).collect();
        if shown.iter().any(Option::is_some) {
            let shown: Vec<_> = shown.into_iter().map(Option::unwrap_or_default).collect();
            lines.push(format!("| {} | {} |\n", row.title, shown.join(" | ")));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let head = format!("| {corner} | {} |\n|---|{}\n", peers.join(" | "), "---:|".repeat(peers.len()));
    head + &lines.concat()
}

/// `page` with its measured part replaced.
pub(crate) fn replace(page: &str, measured: &str) -> Result<String> {
    replace_between([BEGIN, END], page, measured)
}

/// `page` with what is between these marks replaced.
pub(crate) fn replace_between([begin, end]: [&str; 2], page: &str, measured: &str) -> Result<String> {
    let (before, rest) = page.split_once(begin).context("the page has no begin marker")?;
    let (_, after) = rest.split_once(end).context("the page has no end marker")?;
    Ok(format!("{before}{begin}\n\n{}\n\n{end}{after}", measured.trim_end()))
}

/// The instructions that `page` says a peer needs for a row.
pub(crate) fn committed(page: &str, row: &Row, peer: &str) -> Option<u64> {
    let measured = page.split_once(BEGIN)?.1.split_once(END)?.0;
    let mut lines = measured.lines().map(|line| line.trim_matches('|').split('|').map(str::trim));
    let column = lines.find(|head| head.clone().count() > 1)?.position(|name| name == peer)?;
    let mut line = lines.find(|line| line.clone().next() == Some(row.title))?;
    line.nth(column)?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, Cell, END, ROWS, committed, render, replace};
    use crate::count::{Cost, Time};

    fn cell(row: &str, peer: &str, instructions: u64) -> Cell {
        let cost = Cost { instructions, locked: 3, allocations: 1 };
        let time = Time { nanoseconds: 20.25, two_over_one: Some(1.98) };
        Cell { row: row.to_owned(), peer: peer.to_owned(), cost, time: Some(time) }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let cells =
            [cell("closed", "portcullis", 75), cell("stack", "portcullis", 240), cell("closed", "bare", 12)];
        let page = replace(&format!("head\n{BEGIN}\nold\n{END}\ntail\n"), &render(&cells)).unwrap();

        assert!(page.starts_with("head\n") && page.ends_with("tail\n") && !page.contains("old"));
        assert!(page.contains("| breaker closed, last 100 | 75 (3, 1) | 12 (3, 1) |"));
        assert!(page.contains("| breaker closed, last 100 | 1.98 | 1.98 |"));
        assert_eq!(committed(&page, &ROWS[0], "portcullis"), Some(75));
        assert_eq!(committed(&page, &ROWS[0], "bare"), Some(12));
        let stack = ROWS.iter().find(|row| row.name == "stack").unwrap();
        assert_eq!(committed(&page, stack, "portcullis"), Some(240));
        assert_eq!(committed(&page, stack, "bare"), None);
        assert_eq!(committed(&page, &ROWS[1], "portcullis"), None);
    }

    #[test]
    fn a_page_without_markers_is_refused() {
        assert!(replace("no markers", "").is_err());
    }
}
