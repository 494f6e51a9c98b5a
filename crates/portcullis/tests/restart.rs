//! The file of a warm restart.
#![cfg(feature = "restart")]
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

use std::{fs, path::Path};

use portcullis::{Breaker, Registry, breaker::State, restart::RestartError};

fn tripped(registry: &Registry) -> Breaker {
    let breaker = Breaker::builder("inventory").registry(registry).build().unwrap();
    breaker.trip();
    breaker
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_takes_the_place_of_the_one_before_and_leaves_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let (path, registry) = (directory.path().join("state.json"), Registry::new());
    let _breaker = tripped(&registry);
    for _ in 0..3 {
        assert_eq!(registry.save(&path).unwrap(), 1);
    }
    assert_eq!(names(directory.path()), ["state.json"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "its owner's alone");
    }
    let other = Registry::new();
    let breaker = Breaker::builder("inventory").registry(&other).build().unwrap();
    let restored = other.restore(&path).unwrap();
    assert_eq!((restored.restored.len(), breaker.state()), (1, State::Open));
    assert_eq!(names(directory.path()), ["state.json"], "it can be read again");
}

#[test]
fn where_there_is_no_file_nothing_is_restored() {
    let directory = tempfile::tempdir().unwrap();
    let restored = Registry::new().restore(directory.path().join("state.json")).unwrap();
    assert_eq!((restored.age, restored.to_string().as_str()), (None, "no state was saved"));
}

#[test]
fn a_damaged_file_is_refused_and_kept_and_so_is_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let (path, registry) = (directory.path().join("state.json"), Registry::new());
    let breaker = tripped(&registry);
    for damage in ["", "{", "\"open_for\": 7", "{\"format\":\"x\",\"version\":1,\"crc32\":0,\"state\":{}}"] {
        fs::write(&path, damage).unwrap();
        let Err(RestartError::Corrupt { kept, .. }) = registry.restore(&path) else { panic!("{damage}") };
        assert_eq!(fs::read_to_string(kept).unwrap(), damage, "nothing is lost");
        assert!(!path.exists());
    }
    let expected = ["", ".2", ".3", ".4"].map(|number| format!("state.json.corrupt{number}"));
    assert_eq!(names(directory.path()), expected);
    registry.save(&path).unwrap();
    breaker.reset();
    registry.restore(&path).unwrap();
}

#[test]
fn a_later_version_is_kept_for_who_knows_it() {
    let directory = tempfile::tempdir().unwrap();
    let (path, registry) = (directory.path().join("state.json"), Registry::new());
    let _breaker = tripped(&registry);
    registry.save(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let later = text.replacen("\"version\":1", "\"version\":7", 1);
    assert_ne!(text, later);
    fs::write(&path, &later).unwrap();
    let error = registry.restore(&path).unwrap_err();
    let kept = directory.path().join("state.json.corrupt");
    assert!(matches!(&error, RestartError::Version { found: 7, known: 1, .. }), "{error}");
    assert_eq!(fs::read_to_string(kept).unwrap(), later);
}

#[test]
fn what_cannot_be_written_leaves_the_file_before() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing").join("state.json");
    let error = Registry::new().save(&missing).unwrap_err();
    assert!(matches!(&error, RestartError::Io { path, .. } if *path == missing), "{error}");
    // A directory has the name: no rename puts a file in its place.
    let path = directory.path().join("taken");
    fs::create_dir(&path).unwrap();
    assert!(matches!(Registry::new().save(&path), Err(RestartError::Io { .. })));
    assert!(matches!(Registry::new().restore(&path), Err(RestartError::Io { .. })));
    assert_eq!(names(directory.path()), ["taken"], "nothing half written stays");
}
