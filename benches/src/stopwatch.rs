//! Throughput of one thread, and of two threads on one policy.
//!
//! Read as ratios against the neighbours in the same run, never as absolute
//! numbers: time depends on the machine and on what else it does. A burst in
//! which a thread did not have a core for itself is thrown away, because two
//! threads that take turns on one core do not contend; and so is one before
//! which two threads did not even contend for a single counter, because then the
//! host has put them on two halves of one core, which share their cache.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Handle;

use crate::{Job, Row, run};

/// How long a burst lasts: short, so that some find both cores free.
const BURST: Duration = Duration::from_millis(4);
/// How long bursts are tried.
const ENOUGH: Duration = Duration::from_secs(1);
/// What a thread reads the clock after.
const BATCH: Duration = Duration::from_micros(50);
/// The calls made to find out how many make a batch.
const TRIAL: u64 = 1000;
/// The share of a burst that a thread must have had its core for.
const UNDISTURBED: f64 = 0.95;

/// Additions to one counter, by which it is seen whether two threads contend.
const PROBES: u32 = 20_000;
/// They do when an addition takes so many times what it takes one thread.
const CONTENDED: f64 = 2.0;

/// Fewer bursts than this are an accident.
const BURSTS: usize = 5;

/// Calls per second.
#[derive(Clone, Copy, Debug)]
pub struct Throughput {
    /// Of one thread.
    pub one: f64,
    /// Of two threads together on one policy; `None` for a row of which it is
    /// not asked, and when no burst had both cores for itself.
    pub two: Option<f64>,
}

/// Measures a job, which is `row`'s.
pub fn throughput(mut job: Box<dyn Job>, row: Row) -> Result<Throughput> {
    let begin = now();
    run(job.as_mut(), row, TRIAL)?;
    let batch = (TRIAL as f64 * BATCH.as_secs_f64() / begin.elapsed().as_secs_f64()) as u64;
    // Even, so that a row in which every second call fails stays in step.
    let batch = batch.max(1) * 2;

    let (mut one, mut two) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let partner = row.is_shared().then(|| Partner::spawn(scope, job.share(), row, batch));
        let begin = now();
        while begin.elapsed() < ENOUGH {
            one.push(burst(job.as_mut(), row, batch, &Meeting::of(1))?);
            if let Some(partner) = &partner {
                two.push(partner.together(job.as_mut(), row, batch)?);
            }
        }
        anyhow::Ok(())
    })?;
    let one = median(&one, true).or_else(|| median(&one, false)).unwrap_or(f64::NAN);
    Ok(Throughput { one, two: median(&two, true) })
}

/// The median, of the undisturbed bursts alone when asked so.
fn median(bursts: &[Burst], undisturbed: bool) -> Option<f64> {
    let kept = bursts.iter().filter(|burst| burst.undisturbed || !undisturbed);
    let mut rates: Vec<f64> = kept.map(|burst| burst.rate).collect();
    rates.sort_by(f64::total_cmp);
    (rates.len() >= BURSTS).then(|| rates[rates.len() / 2])
}

struct Burst {
    rate: f64,
    undisturbed: bool,
}

/// The second thread. It stays the same from burst to burst, as a runtime's workers do.
struct Partner {
    meetings: Sender<Arc<Meeting>>,
    bursts: Receiver<Result<Burst>>,
}

impl Partner {
    fn spawn<'a>(scope: &'a Scope<'a, '_>, mut job: Box<dyn Job + 'a>, row: Row, batch: u64) -> Self {
        let (meetings, invitations) = channel::<Arc<Meeting>>();
        let (results, bursts) = channel();
        let runtime = Handle::current();
        scope.spawn(move || {
            let _entered = runtime.enter();
            for meeting in invitations {
                // Nobody listens any more when the other thread has failed.
                let _ = results.send(burst(job.as_mut(), row, batch, &meeting));
            }
        });
        Self { meetings, bursts }
    }

    /// A burst of both threads at once.
    fn together(&self, job: &mut dyn Job, row: Row, batch: u64) -> Result<Burst> {
        let meeting = Arc::new(Meeting::of(2));
        self.meetings.send(meeting.clone())?;
        let own = burst(job, row, batch, &meeting)?;
        let other = self.bursts.recv()??;
        let undisturbed = own.undisturbed && other.undisturbed && Meeting::of(1).contends(&meeting);
        Ok(Burst { rate: own.rate + other.rate, undisturbed })
    }
}

fn burst(job: &mut dyn Job, row: Row, batch: u64, meeting: &Meeting) -> Result<Burst> {
    meeting.wait();
    meeting.probe();
    let (begin, had) = (now(), core_time());
    let mut calls = 0;
    let lasted = loop {
        run(job, row, batch)?;
        calls += batch;
        let lasted = begin.elapsed();
        if lasted >= BURST {
            break lasted.as_secs_f64();
        }
    };
    let had = (core_time() - had).as_secs_f64();
    Ok(Burst { rate: calls as f64 / lasted, undisturbed: had >= lasted * UNDISTURBED })
}

/// Where the threads of a burst begin together. They wait by spinning: a thread
/// that slept would start late.
struct Meeting {
    threads: usize,
    arrived: AtomicUsize,
    counter: AtomicU64,
    /// What the additions to the counter took the fastest thread: the slowest
    /// may just have lost its core.
    probed: AtomicU64,
}

impl Meeting {
    fn of(threads: usize) -> Self {
        Self {
            threads,
            arrived: AtomicUsize::new(0),
            counter: AtomicU64::new(0),
            probed: AtomicU64::new(u64::MAX),
        }
    }

    fn wait(&self) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        while self.arrived.load(Ordering::SeqCst) < self.threads {
            spin_loop();
        }
    }

    fn probe(&self) -> f64 {
        let begin = now();
        for _ in 0..PROBES {
            self.counter.fetch_add(1, Ordering::Relaxed);
        }
        let took = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.probed.fetch_min(took, Ordering::Relaxed).min(took) as f64
    }

    /// Whether the threads of `other` contended, where this one was alone.
    fn contends(&self, other: &Self) -> bool {
        other.probed.load(Ordering::Relaxed) as f64 > self.probe() * CONTENDED
    }
}

/// How long this thread has had a core.
fn core_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[expect(clippy::disallowed_methods, reason = "real time is what is measured here")]
fn now() -> Instant {
    Instant::now()
}
