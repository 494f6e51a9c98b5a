//! The schema that is committed is what the program prints.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

/// `cargo run -p portcullis-cli -- schema > docs/settings.schema.json` makes it anew.
#[test]
fn what_is_committed_is_what_is_printed() {
    let printed = Command::new(env!("CARGO_BIN_EXE_portcullis")).arg("schema").output().unwrap();
    assert!(printed.status.success());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.schema.json");
    let read = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
    // In whatever order: a crate beside this one may have serde_json keep another.
    let is_same = read(&printed.stdout) == read(&fs::read(path).unwrap());
    assert!(is_same, "docs/settings.schema.json is of another version");
}
