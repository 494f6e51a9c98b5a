//! Where the report goes: a terminal, where progress is one line written over and over, or a pipe,
//! where every line stays.

use std::io::{self, IsTerminal as _, Stdout, Write as _};

/// Back to the first column, and the rest of the line is cleared.
const CLEAR: &str = "\r\x1b[2K";

/// Standard output.
#[derive(Debug)]
pub(crate) struct Screen {
    out: Stdout,
    terminal: bool,
    /// The last line is progress that may be written over.
    progress: bool,
}

impl Screen {
    /// Standard output, whatever it is.
    pub(crate) fn new() -> Self {
        let out = io::stdout();
        let terminal = out.is_terminal();
        Self { out, terminal, progress: false }
    }

    /// Whether progress is written over.
    pub(crate) const fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// A line that stays.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        let clear = if std::mem::take(&mut self.progress) { CLEAR } else { "" };
        writeln!(self.out, "{clear}{text}")
    }

    /// A line that the next one replaces, on a terminal.
    pub(crate) fn progress(&mut self, text: &str) -> io::Result<()> {
        if !self.terminal {
            return writeln!(self.out, "{text}");
        }
        self.progress = true;
        write!(self.out, "{CLEAR}{text}")?;
        self.out.flush()
    }
}
