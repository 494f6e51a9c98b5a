//! A file system, as it is.

use portcullis::{Level, check::Disk, check::Outcome, monitor::Grades};

use crate::found;

#[tokio::test]
async fn a_real_file_system_has_a_share_that_is_used() {
    let never = Grades::default();
    let status = found(Disk::new(std::env::temp_dir()).used(never).unwrap()).await;
    assert_eq!((status.outcome, status.level), (Some(Outcome::Success), Level::Healthy), "{status:?}");
    let always = Grades { degraded: Some(0.0), ..never };
    let status = found(Disk::new(std::env::temp_dir()).used(always).unwrap()).await;
    assert_eq!(status.level, Level::Degraded);
    assert!(status.message.unwrap().ends_with("is used"));
}

#[tokio::test]
async fn a_path_that_is_not_there_is_a_failure_that_names_it() {
    let status = found(Disk::new("/nowhere/at/all")).await;
    assert_eq!((status.outcome, status.level), (Some(Outcome::Failure), Level::Degraded));
    assert!(status.message.unwrap().starts_with("/nowhere/at/all: "));
}

#[test]
fn shares_out_of_range_are_errors() {
    let error = Disk::new("/").used(Grades::of(0.5, 0.9, 1.1)).unwrap_err();
    assert_eq!(error.to_string(), "disk.used.critical is 1.1: allowed is 0.9 to 1.0");
}
