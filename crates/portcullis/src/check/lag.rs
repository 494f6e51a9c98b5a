//! How late the tokio runtime is.

use std::time::Duration;

use portcullis_core::{
    ConfigError,
    health::{Grades, Level},
};
use tokio::{runtime::Handle, task::JoinSet};

use super::{Ask, Reading};
use crate::{BoxError, clock, late};

/// Looks in one run: enough for a shortest wait to mean something.
const LOOKS: u32 = 10;
/// Between two looks; a run takes a tenth of a second.
const TICK: Duration = Duration::from_millis(10);

/// In seconds: what people notice, what callers notice, and what timeouts notice.
const USUAL: Grades = Grades::of(0.05, 0.25, 1.0);

/// How late the tokio runtime is: how long a task that could run waits until it does. A runtime is late because it
/// has too much to do, or because something blocks its threads.
///
/// Ten looks in a tenth of a second, of which the **shortest** wait is taken: a single stall is none, and a queue
/// that stands is. That is the signal that [load shedding](crate::shed) refuses by, measured in the same way.
///
/// It looks at the runtime that asks it. Where all threads of that are blocked for good, nobody asks, and the last answer
/// grows old. A monitor [on a runtime of its own](crate::HealthMonitor::on) finds that out, when this looks at the
/// [other one](Self::of): there is no answer in time then, and the check has failed.
///
/// ```
/// use portcullis::{HealthMonitor, Registry, check::Lag, monitor::CheckPreset};
///
/// let monitor = HealthMonitor::new(&Registry::new());
/// monitor.check("runtime").preset(CheckPreset::Resource).spawn(Lag::new())?;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lag {
    grades: Grades,
    runtime: Option<Handle>,
}

impl Lag {
    /// Warning from 50 ms on, degraded from 250 ms, critical from 1 s.
    pub fn new() -> Self {
        Self { grades: USUAL, runtime: None }
    }

    /// The same of this runtime, whichever asks.
    pub fn of(runtime: &Handle) -> Self {
        Self { grades: USUAL, runtime: Some(runtime.clone()) }
    }

    /// Other levels, in seconds; 0.001 to 60.
    ///
    /// # Errors
    ///
    /// The first outside its range, or below a milder one: `lag.seconds.warning` and so on.
    pub fn grades(self, grades: Grades) -> Result<Self, ConfigError> {
        grades
            .check(["lag.seconds.warning", "lag.seconds.degraded", "lag.seconds.critical"], 0.001..=60.0)?;
        Ok(Self { grades, ..self })
    }
}

impl Default for Lag {
    fn default() -> Self {
        Self::new()
    }
}

impl Ask for Lag {
    async fn ask(&self) -> Result<Reading, BoxError> {
        let shortest = match &self.runtime {
            None => shortest().await,
            Some(runtime) => {
                // Dropped with the question, it ends what looks.
                let mut looks = JoinSet::new();
                looks.spawn_on(shortest(), runtime);
                looks.join_next().await.ok_or("nobody looked")??
            }
        };
        // The timer's own grain: it is never late by less than that.
        let late = shortest.saturating_sub(late::GRAIN);
        Ok(match self.grades.level(late.as_secs_f64()) {
            Level::Healthy => Level::Healthy.into(),
            level => (level, format!("the runtime is {late:.1?} late")).into(),
        })
    }
}

/// The shortest wait of some.
async fn shortest() -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..LOOKS {
        let due = clock::now() + TICK;
        shortest = shortest.min(late::look(TICK).await.since(due));
    }
    shortest
}
