//! Memory, as a kernel would tell of it.

use std::{fs, path::PathBuf};

use portcullis::{
    Level,
    check::{Memory, Outcome},
    monitor::{CheckStatus, Grades},
};

use crate::found;

const MIB: u64 = 1 << 20;

/// Files as a kernel has them, in a directory of their own.
struct Root(PathBuf);

impl Root {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("portcullis-memory-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Self(root)
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn check(&self) -> Memory {
        Memory::new().root(&self.0)
    }

    async fn found(&self) -> CheckStatus {
        found(self.check()).await
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn said(status: &CheckStatus) -> (Level, Option<&str>) {
    (status.level, status.message.as_deref())
}

#[tokio::test]
async fn this_process_is_seen_as_it_is() {
    let roomy = Memory::new().process_limit(1 << 50).unwrap().used(Grades::default()).unwrap();
    let status = found(roomy.stalled(Grades::default()).unwrap()).await;
    assert_eq!((status.outcome, status.level), (Some(Outcome::Success), Level::Healthy), "{status:?}");
    let tight = Memory::new().process_limit(MIB).unwrap();
    let status = found(tight).await;
    assert_eq!(status.level, Level::Critical, "a test needs more than a megabyte: {status:?}");
}

#[tokio::test]
async fn the_process_against_its_limit() {
    let root = Root::new("process");
    root.file("proc/self/status", "Name:\tshop\nVmPeak:\t  900 kB\nVmRSS:\t    870400 kB\nThreads:\t4\n");
    let status = found(root.check().process_limit(1000 * MIB).unwrap()).await;
    assert_eq!(said(&status), (Level::Warning, Some("85.0 % of its limit is used")));
    assert_eq!(root.found().await.outcome, Some(Outcome::Failure), "nothing else tells anything here");
}

#[tokio::test]
async fn version_2_without_what_can_be_given_back() {
    let root = Root::new("v2");
    let group = "sys/fs/cgroup/system.slice/shop.service";
    root.file("proc/self/cgroup", "0::/system.slice/shop.service\n")
        .file(&format!("{group}/memory.current"), "1000000\n")
        .file(&format!("{group}/memory.max"), "1000000\n")
        .file(&format!("{group}/memory.stat"), "anon 1\ninactive_file 80000\nactive_file 5\n");
    let status = root.found().await;
    assert_eq!(said(&status), (Level::Degraded, Some("92.0 % of the control group's memory is used")));

    root.file(&format!("{group}/memory.max"), "max\n");
    assert_eq!(said(&root.found().await), (Level::Healthy, None));
    root.file("sys/fs/cgroup/system.slice/memory.current", "99\n")
        .file("sys/fs/cgroup/system.slice/memory.max", "100\n");
    assert_eq!(root.found().await.level, Level::Critical, "a limit around it is a limit");
}

/// In a container the path is the host's, and what it sees is its own group.
#[tokio::test]
async fn in_a_container_the_outermost_group_is_its_own() {
    let root = Root::new("container");
    root.file("proc/self/cgroup", "0::/../../kubepods/pod7\n")
        .file("sys/fs/cgroup/memory.current", "85\n")
        .file("sys/fs/cgroup/memory.max", "100\n");
    assert_eq!(root.found().await.level, Level::Warning);
}

#[tokio::test]
async fn version_1() {
    let root = Root::new("v1");
    let group = "sys/fs/cgroup/memory/docker/abc";
    root.file("proc/self/cgroup", "12:cpu,cpuacct:/docker/abc\n5:memory:/docker/abc\n0::/\n")
        .file(&format!("{group}/memory.usage_in_bytes"), "990\n")
        .file(&format!("{group}/memory.limit_in_bytes"), "1000\n")
        .file(&format!("{group}/memory.stat"), "inactive_file 7\ntotal_inactive_file 90\n");
    let status = root.found().await;
    assert_eq!(said(&status), (Level::Degraded, Some("90.0 % of the control group's memory is used")));
    root.file(&format!("{group}/memory.limit_in_bytes"), "9223372036854771712\n");
    assert_eq!(root.found().await.level, Level::Healthy, "that is no limit");
}

#[tokio::test]
async fn what_waits_for_memory() {
    let root = Root::new("stalls");
    root.file(
        "proc/pressure/memory",
        "some avg10=42.50 avg60=1.00 avg300=0.10 total=1\nfull avg10=99.00 avg60=0 avg300=0 total=1\n",
    );
    let status = root.found().await;
    assert_eq!(said(&status), (Level::Degraded, Some("42.5 % of the time something waits for memory")));
    let other = root.check().stalled(Grades { critical: Some(0.4), ..Grades::default() }).unwrap();
    assert_eq!(found(other).await.level, Level::Critical);
}

#[tokio::test]
async fn nonsense_is_no_panic() {
    let root = Root::new("nonsense");
    for text in [
        "",
        "0::",
        "::::",
        "0::/x\n1:memory",
        "\u{0}",
        "5:memory:/\n0::/..",
        "VmRSS: 99999999999999999999 kB",
    ] {
        for file in
            ["proc/self/status", "proc/self/cgroup", "proc/pressure/memory", "sys/fs/cgroup/memory.current"]
        {
            root.file(file, text);
        }
        let status = found(root.check().process_limit(MIB).unwrap()).await;
        assert_ne!(status.outcome, Some(Outcome::Panic), "{text:?}: {status:?}");
    }
}

#[test]
fn what_cannot_be_is_an_error() {
    let error = Memory::new().process_limit(1).unwrap_err();
    assert_eq!(error.field(), "memory.process_limit");
    let error = Memory::new().used(Grades::of(0.9, 0.1, 1.0)).unwrap_err();
    assert_eq!(error.field(), "memory.used.degraded");
    let error = Memory::new().stalled(Grades::of(-0.1, 0.1, 1.0)).unwrap_err();
    assert_eq!(error.field(), "memory.stalled.warning");
}
