//! What the kernel tells of memory.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Version 1 has no word for "no limit": it says the largest number of pages there could be.
const NO_LIMIT: u64 = 1 << 60;

/// The bytes of this process that are in memory.
pub(super) fn resident(root: &Path) -> Option<u64> {
    let status = fs::read_to_string(root.join("proc/self/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The share of the time in which something waits for memory, over ten seconds.
pub(super) fn stalled(root: &Path) -> Option<f64> {
    let text = fs::read_to_string(root.join("proc/pressure/memory")).ok()?;
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let percent = some.split_ascii_whitespace().find_map(|word| word.strip_prefix("avg10="))?;
    percent.parse::<f64>().ok().map(|percent| percent / 100.0)
}

/// The share that is used of what the control groups of this process allow: of the one that has the least left. 0
/// where none has a limit; `None` where there is none to be seen.
pub(super) fn group_share(root: &Path) -> Option<f64> {
    let own = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let groups = root.join("sys/fs/cgroup");
    let seen = own.lines().filter_map(|line| {
        let (names, path) = line.split_once(':')?.1.split_once(':')?;
        match names {
            "" => worst(&groups, path, &VERSION_2),
            names if names.split(',').any(|name| name == "memory") => {
                worst(&groups.join("memory"), path, &VERSION_1)
            }
            _ => None,
        }
    });
    seen.reduce(f64::max)
}

/// The names of a version's files.
struct Version {
    used: &'static str,
    limit: &'static str,
    /// In `memory.stat`: pages of files that nobody has used lately.
    given_back: &'static str,
}

const VERSION_2: Version =
    Version { used: "memory.current", limit: "memory.max", given_back: "inactive_file" };
const VERSION_1: Version = Version {
    used: "memory.usage_in_bytes",
    limit: "memory.limit_in_bytes",
    given_back: "total_inactive_file",
};

/// Of a group and those around it, up to the outermost. Where a container does not see its own path, the outermost it
/// sees is its own.
fn worst(groups: &Path, path: &str, version: &Version) -> Option<f64> {
    let mut within: PathBuf = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let mut worst = None;
    loop {
        if let Some(share) = share(&groups.join(&within), version) {
            worst = Some(worst.map_or(share, |worst: f64| worst.max(share)));
        }
        if !within.pop() {
            return worst;
        }
    }
}

fn share(group: &Path, version: &Version) -> Option<f64> {
    let used = number(&fs::read_to_string(group.join(version.used)).ok()?)?;
    // The outermost group of a machine has no limit, and no file for one.
    let limit = fs::read_to_string(group.join(version.limit)).ok();
    let Some(limit) = limit.and_then(|text| number(&text)).filter(|limit| *limit < NO_LIMIT) else {
        return Some(0.0);
    };
    let stat = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    let given_back = stat.lines().filter_map(|line| line.split_once(' '));
    let given_back = given_back.filter(|(name, _)| *name == version.given_back);
    let given_back = given_back.filter_map(|(_, value)| number(value)).next().unwrap_or(0);
    // A limit of nothing is used up by anything.
    Some(used.saturating_sub(given_back) as f64 / limit.max(1) as f64)
}

/// A number; none of "max".
fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}
