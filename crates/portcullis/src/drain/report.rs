//! What became of the calls.

use std::{fmt, time::Duration};

use portcullis_core::drain::{End, Seen};

/// How a server ended, and who was cut. It prints itself as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Why it was over.
    pub by: End,
    /// How long it took, from [`begin`](super::Drain::begin).
    pub took: Duration,
    /// Calls that were in flight when new ones were refused.
    pub in_flight: u64,
    /// Calls that were refused until it was over.
    pub refused: u64,
    /// Calls that were still in flight when it was over.
    pub unfinished: u64,
    /// As many of these as were written down, the longest first: by path, method or the name they were given.
    pub named: Vec<Seen>,
}

impl Report {
    /// How many calls did not finish in time.
    pub fn cut(&self) -> u64 {
        self.unfinished
    }

    /// Whether every call finished.
    pub fn is_clean(&self) -> bool {
        self.unfinished == 0
    }
}

/// More than that nobody reads in a line of a log.
const NAMES_IN_A_LINE: usize = 10;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, took, in_flight, refused, unfinished, named } = self;
        if self.is_clean() {
            return write!(f, "drained in {took:.1?}: {in_flight} calls finished, {refused} refused");
        }
        let why = match by {
            End::Finished | End::Grace => "the grace is over",
            End::Forced => "it was told to end",
        };
        write!(f, "not drained after {took:.1?}, {why}: {unfinished} of {in_flight} calls cut")?;
        let mut lead = ": ";
        for Seen { name, ran } in named.iter().take(NAMES_IN_A_LINE) {
            let name = if name.is_empty() { "a call" } else { name };
            write!(f, "{lead}{name} ({ran:.1?})")?;
            lead = ", ";
        }
        match named.len() as u64 {
            told if told.min(NAMES_IN_A_LINE as u64) < *unfinished && told > 0 => f.write_str(", and others"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(unfinished: u64, named: Vec<Seen>) -> Report {
        let by = if unfinished > 0 { End::Grace } else { End::Finished };
        Report { by, took: Duration::from_millis(5250), in_flight: 3, refused: 2, unfinished, named }
    }

    #[test]
    fn reads_as_a_sentence() {
        assert_eq!(report(0, Vec::new()).to_string(), "drained in 5.2s: 3 calls finished, 2 refused");
        let seen = |name: &str, secs| Seen { name: name.into(), ran: Duration::from_secs(secs) };
        assert_eq!(
            report(3, vec![seen("/report", 31), seen("", 4)]).to_string(),
            "not drained after 5.2s, the grace is over: 3 of 3 calls cut: /report (31.0s), a call (4.0s), and others"
        );
        assert!(report(3, Vec::new()).to_string().ends_with("3 of 3 calls cut"));
    }
}
