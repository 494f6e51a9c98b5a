//! The table of `benches/README.md` about servers.

use super::figures::{Line, Sample, Spread};
use super::server::Placement;
use super::wrk::CONNECTIONS;

const HEAD: &str = "\
| server | throughput of bare's | core time of bare's | core time, µs | instructions | before the handlers |
|---|---:|---:|---:|---:|---|
";

/// As Markdown. The first line is the server that the others are held against.
pub(crate) fn render(lines: &[Line], placement: Placement) -> String {
    let Some(bare) = lines.first() else { return String::new() };
    let body: String = lines.iter().map(|line| row(line, bare)).collect();
    let rounds = bare.samples.len();
    let second = bare.all(Sample::throughput).median;
    format!(
        "{HEAD}{body}\nOf {rounds} rounds, with {CONNECTIONS} connections; {}. The bare server answered {} requests a \
         second.\n",
        placement.told(),
        thousands(second as u64)
    )
}

fn row(line: &Line, bare: &Line) -> String {
    let throughput = line.over(bare, Sample::throughput);
    let cpu = line.over(bare, Sample::cpu_per_request);
    let instructions = line.instructions.map(thousands).unwrap_or_default();
    format!(
        "| {} | {} | {} | {:.2} | {instructions} | {} |\n",
        line.name,
        spread(throughput),
        spread(cpu),
        line.all(Sample::cpu_per_request).median / 1e3,
        line.layers
    )
}

/// The middle, and in brackets where the middle half lies.
fn spread(Spread { median, lower, upper }: Spread) -> String {
    format!("{median:.3} ({lower:.3}–{upper:.3})")
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Line, Placement, Sample, render, thousands};

    fn line(name: &str, requests: u64, instructions: Option<u64>) -> Line {
        let sample = Sample { requests, seconds: 2.0, cpu: Duration::from_millis(1800) };
        let line = Line::new(name.to_owned(), "nothing".to_owned());
        Line { samples: vec![sample; 3], instructions, ..line }
    }

    #[test]
    fn lines_say_what_they_are_of_bares() {
        let lines = [line("bare", 200_000, Some(12_345)), line("other", 196_000, None)];
        let table = render(&lines, Placement::Apart);

        let bare = "| bare | 1.000 (1.000–1.000) | 1.000 (1.000–1.000) | 9.00 | 12,345 | nothing |\n";
        let other = "| other | 0.980 (0.980–0.980) | 1.020 (1.020–1.020) | 9.18 |  | nothing |\n";
        assert!(table.contains(&format!("---|\n{bare}{other}\n")), "{table}");
        assert!(
            table.contains("Of 3 rounds, with 32 connections; the server has one core, and wrk another.")
        );
        assert!(table.contains("answered 100,000 requests a second"));
        assert_eq!(render(&[], Placement::Anywhere), "");
    }

    #[test]
    fn long_numbers_are_parted() {
        assert_eq!([999, 1000, 1_234_567].map(thousands), ["999", "1,000", "1,234,567"]);
    }
}
