//! What is compared.

use std::time::Duration;

use portcullis_core::ConfigError;
use portcullis_core::adaptive::{
    Aimd, Algorithm, Config, Correlation, DEFAULT_INITIAL, Gradient, Limiter, Vegas,
};

use super::gate::{Fixed, Gate};

/// The ceiling where one is set: well above the unloaded p99, well below three times it.
const CEILING: Duration = Duration::from_millis(100);

/// One of those that are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// As the table and the plot call it.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What a candidate is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Takes all calls.
    Unlimited,
    /// Somebody chose a number.
    Fixed(u32),
    /// It finds its number. All other settings are the library's.
    Adaptive {
        /// How.
        algorithm: Algorithm,
        /// The latency above which a call met congestion, whatever is usual.
        ceiling: Option<Duration>,
        /// The limit at first.
        initial: u32,
    },
}

/// All of them, in the order of the table.
pub fn all() -> [Candidate; 8] {
    let aimd = Algorithm::Aimd(Aimd::default());
    [
        Candidate { name: "no limit", kind: Kind::Unlimited },
        // What who knows the server would choose.
        Candidate { name: "fixed 16", kind: Kind::Fixed(16) },
        // What is chosen where nobody knows: the threads of a common web server.
        Candidate { name: "fixed 200", kind: Kind::Fixed(200) },
        adaptive("AIMD", aimd, None),
        // The only latency it hears of.
        adaptive("AIMD, ceiling 100 ms", aimd, Some(CEILING)),
        adaptive("Vegas", Algorithm::Vegas(Vegas::default()), None),
        adaptive("Gradient", Algorithm::Gradient(Gradient::default()), None),
        adaptive("Correlation", Algorithm::Correlation(Correlation::default()), None),
    ]
}

const fn adaptive(name: &'static str, algorithm: Algorithm, ceiling: Option<Duration>) -> Candidate {
    Candidate { name, kind: Kind::Adaptive { algorithm, ceiling, initial: DEFAULT_INITIAL } }
}

/// The candidate of this name.
pub fn candidate(name: &str) -> Option<Candidate> {
    all().into_iter().find(|candidate| candidate.name == name)
}

impl Candidate {
    /// The same with another limit at first, where it can change.
    pub fn starting_at(self, limit: u32) -> Option<Self> {
        let Kind::Adaptive { algorithm, ceiling, .. } = self.kind else { return None };
        Some(Self { kind: Kind::Adaptive { algorithm, ceiling, initial: limit }, ..self })
    }

    /// A new one, as it is at the start of a program.
    ///
    /// # Errors
    ///
    /// A setting out of its range.
    pub fn gate(self) -> Result<Box<dyn Gate>, ConfigError> {
        Ok(match self.kind {
            Kind::Unlimited => Box::new(Fixed::new(None)),
            Kind::Fixed(limit) => Box::new(Fixed::new(Some(limit))),
            Kind::Adaptive { algorithm, ceiling, initial } => {
                let config = Config { algorithm, ceiling, initial, ..Config::default() };
                Box::new(Limiter::new(config, 1)?)
            }
        })
    }
}
