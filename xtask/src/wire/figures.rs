//! What comes of the rounds.

use std::fmt;
use std::time::Duration;

/// One turn of one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    /// How long the server had a core in it.
    pub(crate) cpu: Duration,
}

impl Sample {
    /// Requests a second.
    pub(crate) fn throughput(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// Nanoseconds that the server had a core for one request.
    pub(crate) fn cpu_per_request(&self) -> f64 {
        self.cpu.as_nanos() as f64 / self.requests as f64
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:7.0} a second, {:5.0} ns of a core each", self.throughput(), self.cpu_per_request())
    }
}

/// A line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// What stands before the handlers.
    pub(crate) layers: String,
    /// One for each round.
    pub(crate) samples: Vec<Sample>,
    /// Of the server, for one request, outside of the kernel.
    pub(crate) instructions: Option<u64>,
}

impl Line {
    pub(crate) fn new(name: String, layers: String) -> Self {
        Self { name, layers, samples: Vec::new(), instructions: None }
    }

    /// A figure of each round over that of `bare` in the same round.
    pub(crate) fn over(&self, bare: &Self, figure: impl Fn(&Sample) -> f64) -> Spread {
        let pairs = self.samples.iter().zip(&bare.samples);
        Spread::of(pairs.map(|(ours, theirs)| figure(ours) / figure(theirs)).collect())
    }

    /// A figure of each round.
    pub(crate) fn all(&self, figure: impl Fn(&Sample) -> f64) -> Spread {
        Spread::of(self.samples.iter().map(figure).collect())
    }
}

/// The middle of some figures, and where the middle half of them lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |share| quantile(&figures, share);
        Self { median: at(0.5), lower: at(0.25), upper: at(0.75) }
    }
}

/// Of sorted figures; between two of them in proportion. NaN of none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::{Duration, Line, Sample, Spread};

    fn line(turns: &[(u64, u64)]) -> Line {
        let sample = |&(requests, cpu)| Sample { requests, seconds: 2.0, cpu: Duration::from_nanos(cpu) };
        let samples = turns.iter().map(sample).collect();
        Line { samples, ..Line::new("some".to_owned(), "nothing".to_owned()) }
    }

    #[test]
    fn a_round_is_held_against_the_same_round() {
        // The machine was busy in the second and the third round, for both.
        let bare = line(&[(1000, 1000), (500, 1000), (100, 1000)]);
        let other = line(&[(980, 980), (490, 980), (98, 980)]);

        let throughput = other.over(&bare, Sample::throughput);
        assert!((throughput.lower - 0.98).abs() < 1e-9 && (throughput.upper - 0.98).abs() < 1e-9);
        let cpu = other.over(&bare, Sample::cpu_per_request);
        assert!((cpu.median - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_middle_and_its_half() {
        let figures = |figures: &[f64]| Spread::of(figures.to_vec());
        assert_eq!(figures(&[5.0, 1.0, 3.0, 2.0, 4.0]), Spread { lower: 2.0, median: 3.0, upper: 4.0 });
        assert_eq!(figures(&[1.0, 2.0]), Spread { lower: 1.25, median: 1.5, upper: 1.75 });
        assert_eq!(figures(&[7.0]), Spread { lower: 7.0, median: 7.0, upper: 7.0 });
        assert!(figures(&[]).median.is_nan());
    }

    #[test]
    fn a_turn_in_figures() {
        let bare = line(&[(1000, 9_000_000)]);
        assert!((bare.all(Sample::throughput).median - 500.0).abs() < 1e-9);
        assert!((bare.all(Sample::cpu_per_request).median - 9000.0).abs() < 1e-9);
    }
}
