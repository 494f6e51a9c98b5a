//! A task is a few steps; each says its name, how it ended and what it took.

use std::time::{Duration, Instant};

use anyhow::Result;

/// The steps of one task so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
}

struct Step {
    name: &'static str,
    took: Duration,
    passed: bool,
}

impl Steps {
    /// Runs a step. A failure is said at once, and does not keep the next step
    /// from running: one run shows everything that is wrong.
    pub(crate) fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        println!("==> {name}");
        let begin = now();
        let outcome = step();
        let took = begin.elapsed();
        if let Err(error) = &outcome {
            eprintln!("xtask: {error:#}");
        }
        println!("==> {name}: {} in {:.1} s\n", word(outcome.is_ok()), took.as_secs_f64());
        self.done.push(Step { name, took, passed: outcome.is_ok() });
    }

    /// Closes with one line; true when every step passed.
    pub(crate) fn summary(&self, task: &str) -> bool {
        let steps = self
            .done
            .iter()
            .map(|step| format!("{} {} ({:.1} s)", step.name, word(step.passed), step.took.as_secs_f64()));
        let passed = self.done.iter().all(|step| step.passed);
        let steps: Vec<_> = steps.collect();
        println!("xtask {task}: {}: {}", if passed { "all passed" } else { "FAILED" }, steps.join(", "));
        passed
    }
}

fn word(passed: bool) -> &'static str {
    if passed { "passed" } else { "failed" }
}

#[expect(clippy::disallowed_methods, reason = "tells a person how long a step took; no policy is timed")]
fn now() -> Instant {
    Instant::now()
}
