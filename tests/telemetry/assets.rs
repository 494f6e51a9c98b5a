//! The committed files, as the programs' own tools judge them.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use portcullis_tests::net::soon;

/// A file of the committed `assets/`.
pub(crate) fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets").join(name)
}

/// Fails with what the program says, unless it ends well.
async fn passes(program: &str, arguments: &[&str], file: &str) -> String {
    let ended = Command::new(program).args(arguments).arg(asset(file)).kill_on_drop(true).output();
    let output = soon(ended).await.expect("it is installed: `cargo xtask setup`");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?} {file}: {said}");
    said
}

#[tokio::test]
async fn promtool_takes_the_rules_and_the_settings() {
    let said = passes("promtool", &["check", "rules"], "prometheus/portcullis.rules.yml").await;
    let rules = std::fs::read_to_string(asset("prometheus/portcullis.rules.yml")).unwrap();
    let count = rules.matches("- alert:").count();
    assert!(count > 20 && said.contains(&format!("{count} rules found")), "{said}");
    passes("promtool", &["check", "config"], "prometheus/prometheus.yml").await;
}

/// Each alert fires in its history and not before, and none where all is well.
#[tokio::test]
async fn the_alerts_do_what_their_tests_say() {
    let rules = std::fs::read_to_string(asset("prometheus/portcullis.rules.yml")).unwrap();
    let tests = std::fs::read_to_string(asset("prometheus/portcullis.rules.test.yml")).unwrap();
    for rule in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert_eq!(tests.matches(&format!("alertname: {rule}\n")).count(), 3, "{rule}");
    }
    passes("promtool", &["test", "rules"], "prometheus/portcullis.rules.test.yml").await;
}

#[tokio::test]
async fn amtool_takes_the_settings() {
    passes("amtool", &["check-config"], "alertmanager/alertmanager.yml").await;
}
