//! The main job: both sides, the same faults at the same time, a report and a verdict.
//!
//! ```text
//! let passed = storm::run(&Options { seconds: 50, port: 0, serve: false }).await?;
//! ```

use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tower::BoxError;

use crate::console::Console;
use crate::lateness::Lateness;
use crate::load::PATIENCE;
use crate::report::{self, screen::Screen};
use crate::schedule::{BUCKET, Fault, Schedule};
use crate::side::{Reading, Side, Variant};
use crate::verdict::{Verdict, Word};

/// Buckets between two readings: one second.
const BUCKETS_PER_READING: u32 = 10;

/// What the user chose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Length of the schedule.
    pub(crate) seconds: u64,
    /// Port of the console; 0 for a free one.
    pub(crate) port: u16,
    /// Keep running after the verdict.
    pub(crate) serve: bool,
}

/// Both sides at one moment.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Moment {
    /// Seconds since the start.
    pub(crate) second: f64,
    /// Name of the phase, or of the fault when the schedule is over.
    pub(crate) phase: &'static str,
    /// One reading per side.
    pub(crate) sides: Vec<Reading>,
}

/// Runs the storm; true if the verdict is good. An error if there is none.
pub(crate) async fn run(options: &Options) -> Result<bool, BoxError> {
    let schedule = Schedule::over(Duration::from_secs(options.seconds));
    let mut sides = Vec::new();
    for variant in Variant::ALL {
        sides.push(Side::start(variant, &schedule).await?);
    }
    let (wishes, wished) = mpsc::channel(1);
    let protected = sides.iter().find(|side| side.variant() == Variant::Protected);
    let registry = protected.map(Side::registry).cloned().unwrap_or_default();
    let console = Console::serve(options.port, &schedule, wishes, &registry).await?;
    let mut screen = Screen::new();
    report::live::introduce(&mut screen, &sides, &console, &schedule)?;

    let start = Instant::now();
    let mut load = JoinSet::new();
    for side in &sides {
        side.load(start, &mut load)?;
    }
    let lateness = Lateness::watch(start, schedule.end() + PATIENCE, &mut load);
    let mut storm = Storm { schedule, sides, console, screen, start, lateness, bucket: 0, phase: "" };
    storm.weather().await?;
    let verdict = storm.judge().await?;
    if options.serve {
        storm.serve(wished).await?;
    }
    match verdict.word {
        Word::Pass => Ok(true),
        Word::Fail => Ok(false),
        Word::None => Err("no verdict on a machine that is away for so long".into()),
    }
}

struct Storm {
    schedule: Schedule,
    sides: Vec<Side>,
    console: Console,
    screen: Screen,
    start: Instant,
    lateness: Lateness,
    /// Buckets closed so far.
    bucket: u32,
    phase: &'static str,
}

impl Storm {
    /// Goes through the whole schedule.
    async fn weather(&mut self) -> Result<(), BoxError> {
        for phase in self.schedule.phases().to_vec() {
            self.set(phase.fault(), phase.name()).await?;
            while BUCKET * self.bucket < phase.end {
                sleep_until(self.bucket_end()).await;
                self.close_bucket()?;
            }
        }
        Ok(())
    }

    async fn set(&mut self, fault: Fault, name: &'static str) -> Result<(), BoxError> {
        self.phase = name;
        for side in &mut self.sides {
            side.set(fault).await?;
        }
        Ok(())
    }

    /// When the running bucket ends.
    fn bucket_end(&self) -> Instant {
        self.start + BUCKET * (self.bucket + 1)
    }

    /// Closes the running bucket; every tenth makes a reading.
    fn close_bucket(&mut self) -> Result<(), BoxError> {
        self.bucket += 1;
        for side in &mut self.sides {
            side.close_bucket();
        }
        if self.bucket.is_multiple_of(BUCKETS_PER_READING) { self.publish() } else { Ok(()) }
    }

    fn publish(&mut self) -> Result<(), BoxError> {
        let since = BUCKET * BUCKETS_PER_READING;
        let sides = self.sides.iter_mut().map(|side| side.read(since)).collect::<Result<_, _>>()?;
        let second = (BUCKET * self.bucket).as_secs_f64();
        let moment = Moment { second, phase: self.phase, sides };
        report::live::progress(&mut self.screen, &moment, &self.schedule)?;
        self.console.publish(moment);
        Ok(())
    }

    /// Waits for the last answers and tells what came of it all.
    async fn judge(&mut self) -> Result<Verdict, BoxError> {
        sleep_until(self.start + self.schedule.end() + PATIENCE + BUCKET).await;
        let outcomes: Vec<_> = self.sides.iter().map(Side::outcome).collect();
        let verdict = Verdict::of(&outcomes, &self.schedule, &self.lateness.gaps());
        report::table::print(&mut self.screen, &outcomes, &self.schedule)?;
        report::verdict(&mut self.screen, &verdict)?;
        self.console.conclude(&verdict);
        Ok(verdict)
    }

    /// Goes on until Ctrl-C, with the faults that the console asks for.
    async fn serve(&mut self, mut wished: mpsc::Receiver<Fault>) -> Result<(), BoxError> {
        report::live::serving(&mut self.screen, &self.sides, &self.console)?;
        self.console.take_wishes();
        self.phase = Fault::None.name();
        let interrupted = tokio::signal::ctrl_c();
        tokio::pin!(interrupted);
        loop {
            tokio::select! {
                ended = &mut interrupted => return Ok(ended?),
                Some(fault) = wished.recv() => self.set(fault, fault.name()).await?,
                () = sleep_until(self.bucket_end()) => self.close_bucket()?,
            }
        }
    }
}
