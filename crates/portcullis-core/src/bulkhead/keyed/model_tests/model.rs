//! What the documentation says, by a counter that keeps everything.

use super::*;

pub(super) const KEYS: usize = 4;

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A call of a key, of a weight, takes its permits, or waits.
    Enter(usize, u32),
    /// A call that does not wait.
    Take(usize, u32),
    /// One that waits looks whether its turn has come.
    Poll(Index),
    /// One that waits gives up.
    Leave(Index),
    /// One that runs ends.
    End(Index),
    /// One that runs panics.
    Panic(Index),
    /// One that should be refused passes.
    Force(usize, u32),
    Change(Config),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    Acquired(u32),
    Waits,
    Refused(Reason),
    Pending,
    Nothing,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    ticket: u64,
    key: usize,
    weight: u32,
    /// Only who has asked once is woken.
    asked: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) config: Config,
    /// Whose permits those are that run, and how many, in the order in which they came to.
    pub(super) running: Vec<(usize, u32)>,
    /// In order of arrival.
    pub(super) line: Vec<Person>,
    /// Who was called or lost his place, and does not know.
    called: BTreeMap<u64, (usize, Result<u32, Reason>)>,
    /// All who have a place, as the real one has them.
    pub(super) places: Vec<u64>,
    pub(super) woken: Vec<u64>,
    tickets: u64,
    /// When each key that waits was served last, or came.
    turns: [u64; KEYS],
    turn: u64,
    pub(super) last: Answer,
}

impl Model {
    pub(super) fn new(config: Config) -> Self {
        let (running, line, places, woken) = (vec![], vec![], vec![], vec![]);
        let (called, turns, last) = (BTreeMap::new(), [0; KEYS], Answer::Nothing);
        Self { config, running, line, called, places, woken, tickets: 0, turns, turn: 0, last }
    }

    fn all_held(&self) -> impl Iterator<Item = (usize, u64)> {
        let called = self.called.values().filter_map(|(key, turn)| Some((*key, turn.ok()?)));
        self.running.iter().copied().chain(called).map(|(key, taken)| (key, u64::from(taken)))
    }

    pub(super) fn held(&self, key: usize) -> u64 {
        self.all_held().filter(|one| one.0 == key).map(|one| one.1).sum()
    }

    pub(super) fn used(&self) -> u64 {
        self.all_held().map(|one| one.1).sum()
    }

    pub(super) fn queued(&self, key: usize) -> usize {
        self.line.iter().filter(|person| person.key == key).count()
    }

    pub(super) fn holding(&self) -> u64 {
        (0..KEYS).filter(|key| self.held(*key) > 0).count() as u64
    }

    fn overall(&self) -> u64 {
        self.config.overall.into()
    }

    fn free(&self) -> u64 {
        self.overall().saturating_sub(self.used())
    }

    /// The most of `all` of which a ninth or more is left.
    fn below(all: u64) -> u64 {
        (0..=all).rev().find(|most| 9 * (all - most) >= all).unwrap()
    }

    fn most(&self) -> u64 {
        let queues = self.config.max_queued > 0;
        let alone = if queues { self.overall() } else { Self::below(self.overall()).max(1) };
        self.config.per_key.map_or(alone, |most| alone.min(most.into()))
    }

    fn needs(&self, weight: u32) -> u64 {
        u64::from(weight.max(1)).min(self.most())
    }

    pub(super) fn limit(&self, key: usize) -> u64 {
        if self.config.max_queued > 0 {
            return self.most();
        }
        let with_it = (0..KEYS).filter(|other| *other == key || self.held(*other) > 0).count() as u64;
        let share = (self.overall() / (with_it + 1)).max(1);
        share.max(Self::below(self.held(key) + self.free())).min(self.most())
    }

    /// What is fair to be told: with a queue, what it has if all that hold or wait have the same.
    fn told_limit(&self, key: usize) -> u64 {
        if self.config.max_queued == 0 {
            return self.limit(key);
        }
        let counts = |other: usize| other == key || self.held(other) > 0 || self.queued(other) > 0;
        let keys = (0..KEYS).filter(|other| counts(*other)).count() as u64;
        (self.overall() / keys).max(1).min(self.most())
    }

    fn refusal(&self, key: usize, weight: u32) -> Reason {
        let (limit, need) = (self.told_limit(key), self.needs(weight));
        if self.held(key) + need > limit {
            return self.key_full(key, limit);
        }
        let (limit, queued) = (self.config.overall, self.line.len() as u32);
        match (need, self.free()) {
            (1, 0) => Reason::BulkheadFull { limit, queued },
            (need, free) => Reason::BulkheadShort { limit, free: free as u32, queued, weight: need as u32 },
        }
    }

    fn key_full(&self, key: usize, limit: u64) -> Reason {
        let (in_flight, queued, overall) =
            (self.held(key) as u32, self.queued(key) as u32, self.used() as u32);
        Reason::KeyFull { limit: limit as u32, in_flight, overall, queued }
    }

    fn passes(&self) -> bool {
        matches!(self.config.mode, Mode::Shadow | Mode::Disabled)
    }

    /// The first of each key, who could go by what his key may hold.
    fn firsts(&self) -> Vec<usize> {
        let first = |key| (0..self.line.len()).find(|at| self.line[*at].key == key);
        let may = |at: &usize| {
            let person = self.line[*at];
            self.held(person.key) + self.needs(person.weight) <= self.most()
        };
        (0..KEYS).filter_map(first).filter(may).collect()
    }

    fn next(&self) -> Option<usize> {
        let order = |at: &usize| (self.held(self.line[*at].key), self.turns[self.line[*at].key]);
        self.firsts().into_iter().min_by_key(order)
    }

    /// Who is next and need not wait any longer.
    pub(super) fn who_goes(&self) -> Option<usize> {
        if self.passes() {
            // In what order does not matter to anybody: that of the keys.
            return (0..self.line.len()).min_by_key(|at| (self.line[*at].key, *at));
        }
        self.next().filter(|at| self.needs(self.line[*at].weight) <= self.free())
    }

    fn call_those_next(&mut self) {
        while let Some(at) = self.who_goes() {
            let person = self.line.remove(at);
            let taken = self.takes(person.weight);
            self.turn += 1;
            self.turns[person.key] = self.turn;
            self.called.insert(person.ticket, (person.key, Ok(taken)));
            self.wake(person);
        }
    }

    fn wake(&mut self, person: Person) {
        if person.asked {
            self.woken.push(person.ticket);
        }
    }

    fn takes(&self, weight: u32) -> u32 {
        if self.config.mode == Mode::Disabled { 0 } else { self.needs(weight) as u32 }
    }

    fn run(&mut self, key: usize, taken: u32) -> Answer {
        self.running.push((key, taken));
        Answer::Acquired(taken)
    }

    fn take(&mut self, key: usize, weight: u32) -> Answer {
        let need = self.needs(weight);
        if self.config.mode == Mode::Disabled {
            return self.run(key, 0);
        }
        let next = self.next().is_none_or(|at| self.held(key) < self.held(self.line[at].key));
        let allowed = need <= self.free() && self.held(key) + need <= self.limit(key);
        if allowed && next && self.queued(key) == 0 {
            return self.run(key, need as u32);
        }
        Answer::Refused(self.refusal(key, weight))
    }

    fn enter(&mut self, key: usize, weight: u32) -> Answer {
        let refused = match self.take(key, weight) {
            refused @ Answer::Refused(_) => refused,
            acquired => return acquired,
        };
        if self.config.mode == Mode::Shadow {
            let need = self.needs(weight);
            let over = (self.used() + need).saturating_sub(self.overall());
            let key_over = (self.held(key) + need).saturating_sub(self.limit(key));
            let waits = over.max(key_over) <= self.config.max_queued.into();
            return if waits { self.run(key, need as u32) } else { refused };
        }
        if self.line.len() >= self.config.max_queued as usize && !self.displace(key) {
            return refused;
        }
        if self.queued(key) == 0 {
            self.turn += 1;
            self.turns[key] = self.turn;
        }
        self.tickets += 1;
        self.line.push(Person { ticket: self.tickets, key, weight, asked: false });
        self.places.push(self.tickets);
        Answer::Waits
    }

    /// Whether the last of who has most in the line went, for one who has fewer.
    fn displace(&mut self, key: usize) -> bool {
        let greediest = (0..KEYS).max_by_key(|other| (self.queued(*other), self.turns[*other])).unwrap();
        if self.config.max_queued == 0 || self.queued(greediest) < self.queued(key) + 2 {
            return false;
        }
        let reason = self.key_full(greediest, self.told_limit(key));
        let last = self.line.iter().rposition(|person| person.key == greediest).unwrap();
        let person = self.line.remove(last);
        self.called.insert(person.ticket, (person.key, Err(reason)));
        self.wake(person);
        true
    }

    pub(super) fn refuses_all(&self) -> bool {
        let full = self.line.len() >= self.config.max_queued as usize;
        let fair = self.config.max_queued == 0 || (0..KEYS).all(|key| self.queued(key) < 2);
        full && fair && self.used() >= self.overall() && self.config.mode == Mode::Enforce
    }

    fn poll(&mut self, at: usize) -> Answer {
        let ticket = self.places[at];
        if let Some(person) = self.line.iter_mut().find(|person| person.ticket == ticket) {
            person.asked = true;
            return Answer::Pending;
        }
        self.places.remove(at);
        match self.called.remove(&ticket).unwrap() {
            (key, Ok(taken)) => self.run(key, taken),
            (_, Err(reason)) => Answer::Refused(reason),
        }
    }

    fn leave(&mut self, at: usize) -> Answer {
        let ticket = self.places.remove(at);
        self.line.retain(|person| person.ticket != ticket);
        self.called.remove(&ticket);
        Answer::Nothing
    }

    pub(super) fn step(&mut self, step: &Step) {
        self.last = match step {
            Step::Enter(key, weight) => self.enter(*key, *weight),
            Step::Take(key, weight) => self.take(*key, *weight),
            Step::Force(key, weight) => {
                let taken = self.takes(*weight);
                self.run(*key, taken)
            }
            Step::Poll(at) => self.poll(at.index(self.places.len())),
            Step::Leave(at) => self.leave(at.index(self.places.len())),
            Step::End(at) | Step::Panic(at) => {
                self.running.remove(at.index(self.running.len()));
                Answer::Nothing
            }
            Step::Change(config) => {
                self.config = config.clone();
                Answer::Nothing
            }
        };
        self.call_those_next();
    }
}
