//! The semaphore against a line of people in front of a counter.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    task::{Poll, Wake, Waker},
};

use proptest::{prelude::*, sample::Index, test_runner::FileFailurePersistence};

use super::{Config, Enqueued, Full, Place, Semaphore};

/// What the documentation says.
#[derive(Clone)]
struct Model {
    limit: u32,
    max_queued: usize,
    held: u32,
    /// Tickets of who waits, first in line first.
    line: VecDeque<u64>,
    /// Who has been handed a permit and has not fetched it.
    granted: Vec<u64>,
    /// The waker with which each in line was polled last.
    wakers: BTreeMap<u64, u64>,
    woken: Vec<u64>,
    tickets: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Acquired,
    Waiting(u64),
    Full(Full),
}

impl Model {
    fn new(config: &Config) -> Self {
        Self {
            limit: config.max_in_flight,
            max_queued: config.max_queued as usize,
            held: 0,
            line: VecDeque::new(),
            granted: Vec::new(),
            wakers: BTreeMap::new(),
            woken: Vec::new(),
            tickets: 0,
        }
    }

    fn in_flight(&self) -> u32 {
        self.held + self.granted.len() as u32
    }

    fn try_acquire(&mut self) -> bool {
        let free = self.in_flight() < self.limit;
        self.held += u32::from(free);
        free
    }

    fn enqueue(&mut self) -> Answer {
        if self.line.len() >= self.max_queued {
            return Answer::Full(Full { queued: self.line.len() as u32 });
        }
        if self.try_acquire() {
            return Answer::Acquired;
        }
        self.tickets += 1;
        self.line.push_back(self.tickets);
        Answer::Waiting(self.tickets)
    }

    /// A permit has come back: the first in line gets it.
    fn hand_over(&mut self) {
        if let Some(first) = self.line.pop_front() {
            self.granted.push(first);
            self.woken.extend(self.wakers.remove(&first));
        }
    }

    fn release(&mut self) {
        self.held -= 1;
        self.hand_over();
    }

    fn poll(&mut self, ticket: u64, waker: u64) -> Poll<()> {
        let Some(at) = self.granted.iter().position(|&granted| granted == ticket) else {
            self.wakers.insert(ticket, waker);
            return Poll::Pending;
        };
        self.granted.remove(at);
        self.held += 1;
        Poll::Ready(())
    }

    fn leave(&mut self, ticket: u64) {
        self.wakers.remove(&ticket);
        if let Some(at) = self.line.iter().position(|&waiting| waiting == ticket) {
            self.line.remove(at);
        } else {
            self.granted.retain(|&granted| granted != ticket);
            self.hand_over();
        }
    }

    fn is_refusing(&self) -> bool {
        let mut next = self.clone();
        !next.try_acquire() && matches!(next.enqueue(), Answer::Full(_))
    }
}

/// Writes its number down when it is woken.
struct Bell {
    number: u64,
    woken: Arc<Mutex<Vec<u64>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().push(self.number);
    }
}

#[derive(Clone, Debug)]
enum Step {
    TryAcquire,
    Enqueue,
    Release,
    Poll(Index),
    /// Again with the waker of before, as most tasks do.
    PollAgain(Index),
    Leave(Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::TryAcquire),
        4 => Just(Step::Enqueue),
        3 => Just(Step::Release),
        3 => any::<Index>().prop_map(Step::Poll),
        2 => any::<Index>().prop_map(Step::PollAgain),
        2 => any::<Index>().prop_map(Step::Leave),
    ]
}

struct InLine {
    place: Place,
    ticket: u64,
    waker: (u64, Waker),
}

/// The real one and the model, side by side.
struct Pair {
    semaphore: Semaphore,
    model: Model,
    line: Vec<InLine>,
    bells: u64,
    woken: Arc<Mutex<Vec<u64>>>,
}

impl Pair {
    fn new(config: Config) -> Self {
        let model = Model::new(&config);
        let semaphore = Semaphore::new(config).unwrap();
        Self { semaphore, model, line: Vec::new(), bells: 0, woken: Arc::default() }
    }

    fn bell(&mut self) -> (u64, Waker) {
        self.bells += 1;
        let bell = Bell { number: self.bells, woken: Arc::clone(&self.woken) };
        (self.bells, Arc::new(bell).into())
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::TryAcquire => prop_assert_eq!(self.semaphore.try_acquire(), self.model.try_acquire()),
            Step::Enqueue => self.enqueue()?,
            Step::Release if self.model.held > 0 => {
                self.semaphore.release();
                self.model.release();
            }
            Step::Poll(which) if !self.line.is_empty() => {
                let waker = self.bell();
                let at = which.index(self.line.len());
                self.line[at].waker = waker;
                self.poll(at)?;
            }
            Step::PollAgain(which) if !self.line.is_empty() => self.poll(which.index(self.line.len()))?,
            Step::Leave(which) if !self.line.is_empty() => self.leave(which.index(self.line.len())),
            Step::Release | Step::Poll(_) | Step::PollAgain(_) | Step::Leave(_) => {}
        }
        self.compare()
    }

    fn enqueue(&mut self) -> Result<(), TestCaseError> {
        match (self.semaphore.enqueue(), self.model.enqueue()) {
            (Ok(Enqueued::Waiting(place)), Answer::Waiting(ticket)) => {
                let waker = self.bell();
                self.line.push(InLine { place, ticket, waker });
            }
            (Ok(Enqueued::Acquired), Answer::Acquired) => {}
            (Err(full), Answer::Full(expected)) => prop_assert_eq!(full, expected),
            (real, expected) => prop_assert!(false, "{real:?} instead of {expected:?}"),
        }
        Ok(())
    }

    fn poll(&mut self, at: usize) -> Result<(), TestCaseError> {
        let InLine { place, ticket, waker: (number, waker) } = &self.line[at];
        let answer = self.semaphore.poll(place, waker);
        prop_assert_eq!(answer, self.model.poll(*ticket, *number));
        if answer.is_ready() {
            self.line.remove(at);
        }
        Ok(())
    }

    fn leave(&mut self, at: usize) {
        let leaver = self.line.remove(at);
        self.semaphore.leave(leaver.place);
        self.model.leave(leaver.ticket);
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.semaphore.in_flight(), self.model.in_flight(), "in flight");
        prop_assert_eq!(self.semaphore.queued() as usize, self.model.line.len(), "queued");
        prop_assert_eq!(self.semaphore.is_refusing(), self.model.is_refusing(), "is_refusing");
        prop_assert_eq!(&*self.woken.lock().unwrap(), &self.model.woken, "woken, in order");
        Ok(())
    }

    /// Everybody goes home: every permit is there again.
    fn close(mut self) -> Result<(), TestCaseError> {
        while !self.line.is_empty() {
            self.leave(0);
            self.compare()?;
        }
        while self.model.held > 0 {
            self.step(Step::Release)?;
        }
        prop_assert_eq!(self.semaphore.in_flight(), 0);
        let permits = (0..self.model.limit + 1).filter(|_| self.semaphore.try_acquire()).count();
        prop_assert_eq!(permits, self.model.limit as usize);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_permit_goes_where_the_model_says(
        max_in_flight in 1u32..4, max_queued in 0u32..5, steps in prop::collection::vec(step(), 1..200),
    ) {
        let mut pair = Pair::new(Config { max_in_flight, max_queued, ..Config::default() });
        steps.into_iter().try_for_each(|step| pair.step(step))?;
        pair.close()?;
    }
}

/// Leaves the line when it is dropped, as a task does that its last waker keeps alive.
struct LastWaker(Arc<Semaphore>, Mutex<Option<Place>>);

impl Wake for LastWaker {
    fn wake(self: Arc<Self>) {}
}

impl Drop for LastWaker {
    fn drop(&mut self) {
        if let Some(place) = self.1.get_mut().unwrap().take() {
            self.0.leave(place);
        }
    }
}

fn wait(semaphore: &Semaphore) -> Place {
    match semaphore.enqueue() {
        Ok(Enqueued::Waiting(place)) => place,
        other => panic!("{other:?}"),
    }
}

/// A waker that was replaced, or left behind, was dropped while the queue was locked: a deadlock when a
/// task goes with it that waits in the same line.
#[test]
fn dropping_a_waker_may_leave_the_line() {
    let config = Config { max_in_flight: 1, max_queued: 4, ..Config::default() };
    let semaphore = Arc::new(Semaphore::new(config).unwrap());
    assert!(semaphore.try_acquire());
    let (replaced, left) = (wait(&semaphore), wait(&semaphore));
    for place in [&replaced, &left] {
        let last = LastWaker(Arc::clone(&semaphore), Mutex::new(Some(wait(&semaphore))));
        assert!(semaphore.poll(place, &Arc::new(last).into()).is_pending());
    }
    assert_eq!(semaphore.queued(), 4);
    assert!(semaphore.poll(&replaced, Waker::noop()).is_pending());
    assert_eq!(semaphore.queued(), 3, "with the waker went who waited");
    semaphore.leave(left);
    assert_eq!(semaphore.queued(), 1);
    semaphore.leave(replaced);
}
