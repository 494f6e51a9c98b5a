//! The table at the end: one line per phase and side.

use std::io;
use std::time::Duration;

use super::millis;
use super::screen::Screen;
use crate::record::Page;
use crate::schedule::{Part, Phase, Schedule};
use crate::side::Outcome;
use crate::verdict::{time_to_recover, upstream_load};

/// Prints the table.
pub(crate) fn print(screen: &mut Screen, outcomes: &[Outcome], schedule: &Schedule) -> io::Result<()> {
    screen.line("")?;
    screen.line(&format!(
        "{:<10} {:<12} {:>8} {:>7} {:>6} {:>8} {:>8} {:>8} {:>11} {:>6} {:>10}",
        "phase", "side", "ok/s", "ok", "lost", "p50", "p99", "longest", "upstream/s", "held", "recovered"
    ))?;
    for (place, phase) in schedule.phases().iter().enumerate() {
        if phase.part == Part::WarmUp {
            continue;
        }
        let sides = outcomes.iter().filter_map(|side| Some((side, side.book.phases.get(place)?)));
        for (number, (side, page)) in sides.enumerate() {
            let name = if number == 0 { phase.name() } else { "" };
            screen.line(&row(name, side, phase, page, schedule))?;
        }
    }
    Ok(())
}

fn row(name: &str, side: &Outcome, phase: &Phase, page: &Page, schedule: &Schedule) -> String {
    let counts = page.counts;
    let ok = counts.good as f64 / phase.seconds();
    let share = format!("{:.1}%", 100.0 * counts.good as f64 / counts.all().max(1) as f64);
    let upstream = upstream_load(side, phase) as f64 / phase.seconds();
    let held = side.held.get(phase.buckets()).and_then(|held| held.iter().max()).copied().unwrap_or(0);
    let [p50, p99, longest] = [page.quantile(0.5), page.quantile(0.99), page.longest()].map(time);
    let recovered = recovered(side, phase, schedule);
    format!(
        "{name:<10} {:<12} {ok:>8.1} {share:>7} {:>6} {p50:>8} {p99:>8} {longest:>8} {upstream:>11.1} {held:>6} {recovered:>10}",
        side.name, counts.lost
    )
}

fn time(duration: Duration) -> String {
    millis(duration.as_secs_f64() * 1e3)
}

fn recovered(side: &Outcome, phase: &Phase, schedule: &Schedule) -> String {
    match phase.part {
        Part::Recovery(fault) => match time_to_recover(side, schedule, fault) {
            Some(time) => format!("in {:.1} s", time.as_secs_f64()),
            None => format!("> {:.1} s", phase.seconds()),
        },
        _ => String::new(),
    }
}
