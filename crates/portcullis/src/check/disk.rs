//! How full a file system is.

use std::{fmt, path::PathBuf};

use portcullis_core::{
    ConfigError,
    health::{Grades, Level},
};

use super::{Ask, Blocking, Reading};
use crate::BoxError;

/// In shares: time to order another, time to clean up, too late.
const USUAL: Grades = Grades::of(0.8, 0.9, 0.95);

/// How full the file system is that a path is on: its space, and its places for files, of which the fuller counts.
/// Space that is kept for the administrator is not free.
///
/// It runs on a thread for what may block: a network file system that hangs costs that one thread, see [`Blocking`].
/// On Linux and Android; elsewhere it fails.
///
/// ```
/// use portcullis::{HealthMonitor, Registry, check::Disk, monitor::{CheckPreset, Grades}};
///
/// let monitor = HealthMonitor::new(&Registry::new());
/// let disk = Disk::new("/var/lib/shop").used(Grades::of(0.7, 0.85, 0.95))?;
/// monitor.check("disk").preset(CheckPreset::Resource).spawn(disk)?;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
pub struct Disk {
    path: PathBuf,
    used: Grades,
    look: Blocking<Box<dyn Fn() -> Result<Reading, BoxError> + Send + Sync>>,
}

impl Disk {
    /// A warning from 80 % on, degraded from 90 %, critical from 95 %.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::with(path.into(), USUAL)
    }

    /// Other levels, in shares of what there is; 0 to 1.
    ///
    /// # Errors
    ///
    /// The first outside its range, or below a milder one: `disk.used.warning` and so on.
    pub fn used(self, used: Grades) -> Result<Self, ConfigError> {
        used.check(["disk.used.warning", "disk.used.degraded", "disk.used.critical"], 0.0..=1.0)?;
        Ok(Self::with(self.path, used))
    }

    fn with(path: PathBuf, used: Grades) -> Self {
        let asked = path.clone();
        let look = move || {
            let (space, files) = system::used(&asked)
                .map_err(|error| BoxError::from(format!("{}: {error}", asked.display())))?;
            let (share, what) = if files > space { (files, "places for files") } else { (space, "space") };
            Ok(match used.level(share) {
                Level::Healthy => ().into(),
                level => (level, format!("{:.1} % of the {what} is used", share * 100.0)).into(),
            })
        };
        Self { path, used, look: Blocking::new(Box::new(look)) }
    }
}

impl Ask for Disk {
    async fn ask(&self) -> Result<Reading, BoxError> {
        self.look.ask().await
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("path", &self.path).field("used", &self.used).finish_non_exhaustive()
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::{io, path::Path};

    /// The shares of the space and of the places for files that are used.
    pub(super) fn used(path: &Path) -> io::Result<(f64, f64)> {
        let there = rustix::fs::statvfs(path)?;
        let space = share(there.f_blocks, there.f_bfree, there.f_bavail);
        Ok((space, share(there.f_files, there.f_ffree, there.f_favail)))
    }

    /// As `df` has it: of what everybody may use.
    fn share(all: u64, free: u64, available: u64) -> f64 {
        let used = all.saturating_sub(free);
        let usable = used.saturating_add(available);
        // File systems that make places for files as they are needed say 0.
        if usable == 0 { 0.0 } else { used as f64 / usable as f64 }
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn what_is_kept_for_the_administrator_is_not_free() {
            assert_eq!(super::share(100, 20, 10), 80.0 / 90.0);
            assert_eq!(super::share(0, 0, 0), 0.0);
            assert_eq!(super::share(10, 20, 5), 0.0, "nonsense");
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::{io, path::Path};

    pub(super) fn used(_: &Path) -> io::Result<(f64, f64)> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
