//! How much memory is left.

mod files;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use portcullis_core::{
    ConfigError, check_range,
    health::{Grades, Level},
};

use super::{Ask, Blocking, Reading};
use crate::BoxError;

/// In shares of what is allowed: time to look, time to act, about to be killed.
const USED: Grades = Grades::of(0.8, 0.9, 0.95);
/// In shares of the last ten seconds in which something waited for memory.
const STALLED: Grades = Grades::of(0.1, 0.3, 0.6);

/// How much memory is left: of a limit on this process if there is one, of its control groups (version 2 and 1), and
/// how long tasks wait for memory at all (the kernel's pressure stall information). The worst of them counts.
///
/// Of a control group counts what cannot be given back at once: the pages of files that nobody has used lately are
/// not counted, as Kubernetes does. Limits of the groups around it count too.
///
/// On Linux; elsewhere it fails. It reads a few small files.
///
/// ```
/// use portcullis::{HealthMonitor, Registry, check::Memory, monitor::CheckPreset};
///
/// let monitor = HealthMonitor::new(&Registry::new());
/// let memory = Memory::new().process_limit(2 << 30)?;
/// monitor.check("memory").preset(CheckPreset::Resource).spawn(memory)?;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
pub struct Memory {
    settings: Settings,
    look: Blocking<Box<dyn Fn() -> Result<Reading, BoxError> + Send + Sync>>,
}

#[derive(Clone, Debug)]
struct Settings {
    root: PathBuf,
    process_limit: Option<u64>,
    used: Grades,
    stalled: Grades,
}

impl Memory {
    /// Of what is allowed, a warning from 80 % on, degraded from 90 %, critical from 95 %; of the time in which
    /// something waits for memory, from 10, 30 and 60 %.
    pub fn new() -> Self {
        Self::with(Settings { root: "/".into(), process_limit: None, used: USED, stalled: STALLED })
    }

    /// What this process may use, in bytes that are in memory (default no limit); 1 MiB to 1 PiB.
    ///
    /// # Errors
    ///
    /// Outside its range: `memory.process_limit`.
    pub fn process_limit(self, bytes: u64) -> Result<Self, ConfigError> {
        check_range("memory.process_limit", bytes, 1 << 20..=1 << 50)?;
        Ok(Self::with(Settings { process_limit: Some(bytes), ..self.settings }))
    }

    /// Other levels, in shares of what is allowed; 0 to 1.
    ///
    /// # Errors
    ///
    /// The first outside its range, or below a milder one: `memory.used.warning` and so on.
    pub fn used(self, used: Grades) -> Result<Self, ConfigError> {
        used.check(["memory.used.warning", "memory.used.degraded", "memory.used.critical"], 0.0..=1.0)?;
        Ok(Self::with(Settings { used, ..self.settings }))
    }

    /// Other levels, in shares of the time in which something waits for memory; 0 to 1. All `None`: it is not
    /// looked at.
    ///
    /// # Errors
    ///
    /// The first outside its range, or below a milder one: `memory.stalled.warning` and so on.
    pub fn stalled(self, stalled: Grades) -> Result<Self, ConfigError> {
        let fields = ["memory.stalled.warning", "memory.stalled.degraded", "memory.stalled.critical"];
        stalled.check(fields, 0.0..=1.0)?;
        Ok(Self::with(Settings { stalled, ..self.settings }))
    }

    /// Where `/proc` and `/sys` of this process are, as where a container sees those of its host elsewhere
    /// (default `/`).
    #[must_use]
    pub fn root(self, root: impl Into<PathBuf>) -> Self {
        Self::with(Settings { root: root.into(), ..self.settings })
    }

    fn with(settings: Settings) -> Self {
        let asked = settings.clone();
        Self { settings, look: Blocking::new(Box::new(move || asked.look())) }
    }
}

impl Settings {
    fn look(&self) -> Result<Reading, BoxError> {
        let all = [self.process(), self.groups(&self.root), self.stalls()];
        let worst = all.into_iter().flatten().max_by_key(|(level, _)| *level);
        match worst.ok_or("nothing tells how much memory is used")? {
            (Level::Healthy, _) => Ok(().into()),
            told => Ok(told.into()),
        }
    }

    fn process(&self) -> Option<(Level, String)> {
        let share = files::resident(&self.root)? as f64 / self.process_limit? as f64;
        Some(self.grade(share, "its limit"))
    }

    fn groups(&self, root: &Path) -> Option<(Level, String)> {
        let share = files::group_share(root)?;
        Some(self.grade(share, "the control group's memory"))
    }

    fn grade(&self, share: f64, of: &str) -> (Level, String) {
        (self.used.level(share), format!("{:.1} % of {of} is used", share * 100.0))
    }

    fn stalls(&self) -> Option<(Level, String)> {
        let share = files::stalled(&self.root)?;
        Some((
            self.stalled.level(share),
            format!("{:.1} % of the time something waits for memory", share * 100.0),
        ))
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Ask for Memory {
    async fn ask(&self) -> Result<Reading, BoxError> {
        self.look.ask().await
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}
