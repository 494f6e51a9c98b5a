//! The binary as a user starts it.

use std::io;
use std::process::{Command, Output};

fn storm(arguments: &[&str]) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_storm")).args(arguments).output()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_scene_that_is_listed_holds() {
    let list = text(&storm(&["scenes"]).unwrap());
    let names: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names.len(), 6);
    for name in names {
        let scene = storm(&["scene", name]).unwrap();
        assert!(scene.status.success(), "{}", text(&scene));
        assert!(text(&scene).contains("checks hold"));
    }
}

#[test]
fn a_short_storm_keeps_its_promises() {
    let run = storm(&["--seconds", "25"]).unwrap();
    let report = text(&run);
    for expected in
        ["live page", "flaky", "errors", "latency", "hang", "refused", "recovered", "verdict: PASS"]
    {
        assert!(report.contains(expected), "{expected} is missing in:\n{report}");
    }
    assert_eq!(run.status.code(), Some(0));
}

#[test]
fn bad_input_is_refused_with_the_range() {
    for (arguments, told) in [
        (&["--seconds", "5"][..], "25..=3600"),
        (&["--port", "99999"], "65535"),
        (&["scene", "rain"], "recovery-cycle"),
        (&["--serve", "scenes"], "cannot be used with"),
    ] {
        let output = storm(arguments).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(complaint.contains(told), "{complaint}");
    }
}
