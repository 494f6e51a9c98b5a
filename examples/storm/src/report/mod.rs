//! What the user reads: progress, the table, the verdict.
//!
//! ```text
//! let mut screen = Screen::new();
//! report::table::print(&mut screen, &outcomes, &schedule)?;
//! report::verdict(&mut screen, &verdict)?;
//! ```

pub(crate) mod live;
pub(crate) mod screen;
pub(crate) mod table;

use std::io;

use self::screen::Screen;
use crate::verdict::{Verdict, Word};

/// Prints the conditions and, in one line, whether they hold.
pub(crate) fn verdict(screen: &mut Screen, verdict: &Verdict) -> io::Result<()> {
    screen.line("")?;
    for check in &verdict.checks {
        screen.line(&format!("  {} {}", if check.passed { "ok  " } else { "FAIL" }, check.what))?;
    }
    let held = verdict.checks.iter().filter(|check| check.passed).count();
    screen.line(&format!(
        "       the machine was busy elsewhere for up to {} ms of a deadline",
        verdict.away.as_millis()
    ))?;
    let doubt = match verdict.word {
        Word::Pass | Word::Fail => "",
        Word::None => "; on a machine that is away for so long this says nothing: run it with less beside it",
    };
    let (word, all) = (verdict.word.as_str(), verdict.checks.len());
    screen.line(&format!("verdict: {word}, {held} of {all} conditions hold{doubt}"))
}

/// Milliseconds as people read them.
fn millis(value: f64) -> String {
    if value < 10.0 { format!("{value:.1} ms") } else { format!("{value:.0} ms") }
}
