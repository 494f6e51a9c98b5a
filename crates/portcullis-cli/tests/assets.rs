//! What is committed under `assets/` is what the program writes.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Every file below a directory, by its path from there.
fn files(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn assets(out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portcullis")).args(["assets", "--out"]).arg(out).output().unwrap()
}

#[test]
fn what_is_committed_is_what_comes_out() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("made/for/it");
    let output = assets(&out);
    assert!(output.status.success(), "{output:?}");
    let made = files(&out);
    let committed = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets"));
    let names = |files: &BTreeMap<PathBuf, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&committed));
    for (name, text) in &made {
        assert!(committed[name] == *text, "assets/{} is not up to date: `portcullis assets`", name.display());
    }
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().map(PathBuf::from).collect::<Vec<_>>().len(), made.len());
    assert!(made.keys().all(|name| said.contains(&out.join(name).display().to_string())), "{said}");

    // Once more, over what is there.
    assert!(assets(&out).status.success());
    assert_eq!(files(&out), made);
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = assets(file.path());
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&file.path().display().to_string()), "{said}");
}
