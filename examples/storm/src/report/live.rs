//! What is seen while the storm runs.

use std::io;

use super::millis;
use super::screen::Screen;
use crate::console::Console;
use crate::schedule::Schedule;
use crate::side::{Reading, Side};
use crate::storm::Moment;

/// Width of the progress bar on a terminal.
const BAR: usize = 8;

/// The first lines: what will happen, and where to look.
pub(crate) fn introduce(
    screen: &mut Screen,
    sides: &[Side],
    console: &Console,
    schedule: &Schedule,
) -> io::Result<()> {
    let phases: Vec<_> = schedule.phases().iter().map(crate::schedule::Phase::name).collect();
    screen.line(&format!("storm: {} s of {}", schedule.end().as_secs(), phases.join(", ")))?;
    places(screen, sides, console)?;
    if screen.is_terminal() {
        screen.line("good answers per second, and 99 % of all answers within:")
    } else {
        Ok(())
    }
}

/// The line after the verdict when the storm goes on.
pub(crate) fn serving(screen: &mut Screen, sides: &[Side], console: &Console) -> io::Result<()> {
    screen.line("\nserving until Ctrl-C; the page has buttons for faults")?;
    places(screen, sides, console)
}

fn places(screen: &mut Screen, sides: &[Side], console: &Console) -> io::Result<()> {
    let (policies, token) = console.policies();
    screen.line(&format!("  live page    http://{}/", console.address()))?;
    screen.line(&format!("  policies     {policies} (to change them: token {token})"))?;
    for side in sides {
        let paths = side.variant().paths().join(", ");
        screen.line(&format!("  {:<12} {} with {paths}", side.name(), side.url()))?;
    }
    screen.line("")
}

/// One second: a line on a pipe, a bar on a terminal.
pub(crate) fn progress(screen: &mut Screen, moment: &Moment, schedule: &Schedule) -> io::Result<()> {
    let readings: Vec<_> = if screen.is_terminal() {
        moment.sides.iter().map(short).collect()
    } else {
        moment.sides.iter().map(long).collect()
    };
    let bar = if screen.is_terminal() { bar(moment, schedule) } else { String::new() };
    screen.progress(&format!("{:>3.0} s {bar}{:<9} {}", moment.second, moment.phase, readings.join(" | ")))
}

fn bar(moment: &Moment, schedule: &Schedule) -> String {
    let share = (moment.second / schedule.end().as_secs_f64()).min(1.0);
    let done = (share * BAR as f64) as usize;
    format!("{}{} ", "#".repeat(done), "-".repeat(BAR - done))
}

fn short(reading: &Reading) -> String {
    let Reading { side, goodput, p99_ms, .. } = reading;
    format!("{side} {goodput:>3.0}/s {:>7}", millis(*p99_ms))
}

fn long(reading: &Reading) -> String {
    let Reading { side, goodput, p99_ms, upstream, held, breakers, .. } = reading;
    let (p99, comma) = (millis(*p99_ms), if breakers.is_empty() { "" } else { ", " });
    format!(
        "{side} {goodput:>3.0} ok/s, p99 {p99:>7}, upstream {upstream:>3.0}/s holding {held:>4}{comma}{breakers}"
    )
}
