//! How long a call is made to wait.

use std::time::Duration;

use super::config::LONGEST;
use crate::{ConfigError, check_range};

/// How long a call is made to wait. Nothing waits longer than 1 h.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Latency {
    /// Always as long.
    Fixed(Duration),
    /// Anything between the two, equally likely.
    Uniform(Duration, Duration),
    /// Exponentially distributed, with this mean: as the service time of a busy server.
    Exponential(Duration),
    /// Normally distributed around a mean, with this standard deviation; never less than nothing.
    Normal(Duration, Duration),
}

impl Latency {
    pub(super) fn check(self) -> Result<(), ConfigError> {
        let within = |time| check_range("chaos.latency", time, Duration::ZERO..=LONGEST);
        match self {
            Self::Fixed(time) | Self::Exponential(time) => within(time),
            Self::Normal(mean, deviation) => within(mean).and(within(deviation)),
            Self::Uniform(least, most) => {
                within(most)?;
                check_range("chaos.latency", least, Duration::ZERO..=most)
            }
        }
    }

    /// A wait, by two draws of 64 bits.
    pub fn draw(self, mut random: impl FnMut() -> u64) -> Duration {
        let seconds = match self {
            Self::Fixed(time) => return time,
            Self::Uniform(least, most) => {
                let span = most.saturating_sub(least).as_secs_f64();
                least.as_secs_f64() + span * unit(random())
            }
            // By the inverse of the distribution function; what `unit` gives is below 1.
            Self::Exponential(mean) => -mean.as_secs_f64() * (-unit(random())).ln_1p(),
            // Box and Muller, "A Note on the Generation of Random Normal Deviates" (1958).
            Self::Normal(mean, deviation) => {
                let radius = (-2.0 * (-unit(random())).ln_1p()).sqrt();
                let angle = std::f64::consts::TAU * unit(random());
                mean.as_secs_f64() + deviation.as_secs_f64() * radius * angle.cos()
            }
        };
        Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST).min(LONGEST)
    }
}

/// The 53 highest bits as a share of 1; below 1.
pub(super) fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    fn generator() -> impl FnMut() -> u64 {
        let mut state = 7u64;
        move || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        }
    }

    fn drawn(latency: Latency) -> (f64, f64) {
        let mut random = generator();
        let times: Vec<_> = (0..20_000).map(|_| latency.draw(&mut random).as_secs_f64() * 1e3).collect();
        let mean = times.iter().sum::<f64>() / 20_000.0;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / 20_000.0;
        (mean, variance.sqrt())
    }

    #[test]
    fn draws_have_the_mean_and_the_deviation_of_their_distribution() {
        let ms = Duration::from_millis;
        let near = |got: f64, want: f64| assert!((got - want).abs() < want * 0.03, "{got} for {want}");
        let (mean, deviation) = drawn(Latency::Uniform(ms(100), ms(300)));
        near(mean, 200.0);
        near(deviation, 200.0 / 12f64.sqrt());
        let (mean, deviation) = drawn(Latency::Exponential(ms(50)));
        near(mean, 50.0);
        near(deviation, 50.0);
        let (mean, deviation) = drawn(Latency::Normal(ms(500), ms(50)));
        near(mean, 500.0);
        near(deviation, 50.0);
        assert_eq!(drawn(Latency::Fixed(ms(5))).0.round(), 5.0);
    }

    #[test]
    fn nothing_waits_for_ever_or_less_than_nothing() {
        for draw in [0, 1, u64::MAX / 2, u64::MAX] {
            for latency in [Latency::Exponential(LONGEST), Latency::Normal(Duration::ZERO, LONGEST)] {
                assert!(latency.draw(|| draw) <= LONGEST);
            }
        }
    }
}
