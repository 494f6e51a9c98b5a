//! How busy the machine is.

use std::{io, path::PathBuf, time::Duration};

use portcullis_core::{
    ConfigError, Time,
    shed::{Config, PressureSource},
};

/// Where the kernel tells how long something waited for a processor, on the whole machine.
const MACHINE: &str = "/proc/pressure/cpu";
/// The control groups that this process is in.
const OWN_GROUPS: &str = "/proc/self/cgroup";
/// Where they are, with one hierarchy for all, which alone tells of pressure.
const GROUPS: &str = "/sys/fs/cgroup";

/// Refuses a pressure that cannot be measured on this system.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let Some(pressure) = &config.pressure else { return Ok(()) };
    let (known, allowed) = match pressure.source {
        PressureSource::Cpu => (busy().is_some(), "Linux or Android, or a function"),
        PressureSource::CpuStalls => (stalled().is_ok(), "a system with /proc/pressure/cpu, or a function"),
        _ => return Ok(()),
    };
    if known {
        return Ok(());
    }
    Err(ConfigError::new("load_shed.pressure.source", &pressure.source, allowed))
}

/// What was counted when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    before: Option<(PressureSource, Time, Duration)>,
}

impl Gauge {
    /// The pressure now, or since the last look; `None` when it is not known.
    pub(super) fn read(&mut self, source: &PressureSource, now: Time) -> Option<f64> {
        let (counted, of) = match source {
            PressureSource::Cpu => (busy()?, processors()),
            PressureSource::CpuStalls => (stalled().ok()?, 1.0),
            PressureSource::Function(function) => return function.measure(),
            _ => return None,
        };
        let before = self.before.replace((source.clone(), now, counted));
        let (_, then, before) = before.filter(|(known, ..)| known == source)?;
        let elapsed = now.since(then);
        if elapsed.is_zero() {
            return None;
        }
        let share = counted.saturating_sub(before).as_secs_f64() / elapsed.as_secs_f64() / of;
        Some(share.min(1.0))
    }
}

/// As many as this process may use, by affinity and by quota.
fn processors() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |processors| processors.get() as f64)
}

/// The processor time that this process has taken.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn busy() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn busy() -> Option<Duration> {
    None
}

/// For how long something has waited for a processor.
fn stalled() -> io::Result<Duration> {
    let own = own_group().map(std::fs::read_to_string);
    let text = match own {
        Some(Ok(text)) => text,
        // The outermost group has no such file: it is the machine.
        _ => std::fs::read_to_string(MACHINE)?,
    };
    total(&text).ok_or_else(|| io::Error::other("no total in it"))
}

/// The file of the control group that this process is in.
fn own_group() -> Option<PathBuf> {
    let groups = std::fs::read_to_string(OWN_GROUPS).ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(PathBuf::from(GROUPS).join(own).join("cpu.pressure"))
}

/// The total of the line `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, in microseconds.
fn total(text: &str) -> Option<Duration> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some.split_ascii_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use portcullis_core::shed::Pressure;

    use super::*;

    #[test]
    fn the_kernels_words_are_understood() {
        let text =
            "some avg10=0.12 avg60=1.04 avg300=1.32 total=13993894\nfull avg10=0.00 avg60=0.00 total=7\n";
        assert_eq!(total(text), Some(Duration::from_micros(13_993_894)));
        for text in ["", "some", "some avg10=0.00", "full total=3", "some total=many"] {
            assert_eq!(total(text), None, "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn processor_time_is_a_share_of_all_that_there_is() {
        let mut gauge = Gauge::default();
        assert_eq!(gauge.read(&PressureSource::Cpu, Time::from_millis(0)), None, "nothing to compare with");
        let before = busy().unwrap();
        while busy().unwrap() < before + Duration::from_millis(20) {}
        // In a tenth of a second on one of the processors: at least a fifth of it.
        let share = gauge.read(&PressureSource::Cpu, Time::from_millis(100)).unwrap();
        assert!(share >= 0.2 / processors() && share <= 1.0, "{share}");
        assert_eq!(gauge.read(&PressureSource::Cpu, Time::from_millis(100)), None, "no time has passed");
    }

    #[test]
    fn a_function_is_asked() {
        let pressure = Pressure::of(0.5, || Some(0.25));
        assert_eq!(Gauge::default().read(&pressure.source, Time::ORIGIN), Some(0.25));
        let config = Config { pressure: Some(pressure), ..Config::default() };
        assert_eq!(check(&config), Ok(()));
    }

    /// Systems differ: it is an error that says why, or it works.
    #[test]
    fn what_cannot_be_measured_is_an_error() {
        let pressure = Pressure { source: PressureSource::CpuStalls, ..Pressure::of_cpu(0.5) };
        let config = Config { pressure: Some(pressure), ..Config::default() };
        match check(&config) {
            Ok(()) => assert!(stalled().is_ok()),
            Err(error) => assert_eq!(error.field(), "load_shed.pressure.source"),
        }
    }
}
