//! Permits of many keys.

use std::{
    fmt,
    sync::Arc,
    task::{Poll, Waker},
    time::Duration,
};

use super::{Account, Config, Turn, state::State};
use crate::{
    ConfigError, Mode, Reason,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        lock,
    },
};

/// Permits that many keys share, with a bounded queue, whose rules can change at any time.
///
/// All is decided under one short lock, which is never held while anybody is woken: what is fair depends on what
/// all keys hold, so that all calls would write one place anyway.
pub struct FairSemaphore {
    state: Mutex<State>,
    /// Whether every call would be refused, for those who only want to know that.
    refusing: AtomicBool,
    accounts: AtomicU64,
}

/// A place in the line. It must be [polled](FairSemaphore::poll) to its end or [left](FairSemaphore::leave).
#[derive(Debug)]
#[must_use = "a place that is neither polled nor left keeps the permits that it is handed"]
pub struct Place {
    account: Arc<Account>,
    number: u64,
}

/// What a call got that may wait.
#[derive(Debug)]
pub enum Entered {
    /// So many permits.
    Acquired(u32),
    /// Wait here.
    Waiting(Place),
}

/// All keys together, at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Permits in use; more than there are, after their number was lowered or calls passed that would have been
    /// refused.
    pub in_flight: u64,
    /// Permits there are.
    pub limit: u32,
    /// Calls that wait.
    pub queued: u32,
    /// Keys that hold a permit.
    pub holding: u64,
    /// Whether refusals are to be enforced.
    pub mode: Mode,
}

impl FairSemaphore {
    /// All permits free, nobody waiting.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let state = Mutex::new(State::new(config));
        Ok(Self { state, refusing: AtomicBool::new(false), accounts: AtomicU64::new(0) })
    }

    /// An account for a key that holds nothing yet.
    pub fn account(&self) -> Account {
        Account::new(self.accounts.fetch_add(1, Relaxed))
    }

    /// Takes the permits asked for, if the key may have them now; says how many those are. At least one, and at
    /// most all that one key may hold: a call that asks for more is the only one of its key then.
    #[inline]
    pub fn try_take(&self, account: &Account, weight: u32) -> Option<u32> {
        self.with(|state| state.try_take(account, weight))
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// Why not, by what is known at this moment.
    pub fn take(&self, account: &Account, weight: u32) -> Result<u32, Reason> {
        self.with(|state| state.try_take(account, weight).ok_or_else(|| state.refusal(account, weight)))
    }

    /// Takes the permits asked for, or a place in the line.
    ///
    /// In [shadow](Mode::Shadow) it takes them anyway, as long as no more are missing than calls may wait.
    ///
    /// # Errors
    ///
    /// Why not, when the line is full, and the key is among those with the most calls in it.
    pub fn enter(&self, account: &Arc<Account>, weight: u32) -> Result<Entered, Reason> {
        let (entered, displaced) = self.with(|state| state.enter(account, weight));
        if let Some(waker) = displaced {
            waker.wake();
        }
        entered.map(|entered| match entered {
            Ok(taken) => Entered::Acquired(taken),
            Err(number) => Entered::Waiting(Place { account: account.clone(), number }),
        })
    }

    /// Takes the permits asked for whether or not the key may have them, for a call that passes though it should
    /// be refused; says how many those are.
    pub fn force(&self, account: &Account, weight: u32) -> u32 {
        let taken = self.with(|state| state.force(account, weight));
        // Another may be next now, whose call is less heavy.
        self.hand_over();
        taken
    }

    /// Gives so many permits back: to who is next, if somebody waits.
    #[inline]
    pub fn release(&self, account: &Account, taken: u32) {
        if taken > 0 && self.with(|state| state.release(account, taken)) {
            self.hand_over();
        }
    }

    /// Ready once the place's turn has come, or it was lost to another.
    pub fn poll(&self, place: &Place, waker: &Waker) -> Poll<Turn> {
        let mut state = lock(&self.state);
        if let Some(turn) = state.line.fetch(place.number) {
            return Poll::Ready(turn);
        }
        let replaced = state.line.register(place.account.id(), place.number, waker);
        // Only now: with the last waker of a task may go a place in this very line.
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    /// Leaves the line. Permits that were handed over meanwhile go to who is next, and so do those that are
    /// enough for whoever stood behind.
    pub fn leave(&self, place: Place) {
        let Place { account, number } = place;
        let (turn, left_behind) = self.with(|state| state.leave(&account, number));
        match turn {
            Some(Turn::Granted(taken)) => self.release(&account, taken),
            Some(Turn::Displaced(_)) => {}
            None => self.hand_over(),
        }
        drop(left_behind);
    }

    /// Why a call is refused that has waited for as long as it may: because its key has its share, or because
    /// there was none.
    pub fn late(&self, account: &Account, weight: u32, max_wait: Duration) -> Reason {
        self.with(|state| match state.refusal(account, weight) {
            reason @ Reason::KeyFull { .. } => reason,
            _ => Reason::QueueTimeout { limit: state.config().overall, max_wait },
        })
    }

    /// Changes the rules. Calls in flight go on, even where a new limit is below what they hold; who waits keeps
    /// waiting, and goes on at once if there is room by the new rules.
    ///
    /// # Errors
    ///
    /// The first field outside its range; nothing has changed then.
    pub fn update(&self, change: impl FnOnce(&Config) -> Config) -> Result<(), ConfigError> {
        self.with(|state| {
            let config = change(state.config());
            config.check()?;
            state.change(config);
            Ok(())
        })?;
        self.hand_over();
        Ok(())
    }

    /// What a key may hold now.
    pub fn limit(&self, account: &Account) -> u32 {
        self.with(|state| state.limit(account)).try_into().unwrap_or(u32::MAX)
    }

    /// All keys together.
    pub fn status(&self) -> Status {
        lock(&self.state).status()
    }

    /// Whether its refusals are to be enforced.
    pub fn mode(&self) -> Mode {
        lock(&self.state).config().mode
    }

    /// The rules.
    pub fn config(&self) -> Config {
        lock(&self.state).config().clone()
    }

    /// Whether any call that came now would be refused, whatever its key and weight.
    #[inline]
    pub fn is_refusing(&self) -> bool {
        self.refusing.load(Relaxed)
    }

    /// Why a call is refused that came now.
    pub fn refusal(&self, account: &Account, weight: u32) -> Reason {
        self.with(|state| state.refusal(account, weight))
    }

    /// Calls those whose turn has come, one by one, because a waker may do anything.
    fn hand_over(&self) {
        while let Some(waker) = self.with(State::call_next) {
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    #[inline]
    fn with<R>(&self, step: impl FnOnce(&mut State) -> R) -> R {
        let mut state = lock(&self.state);
        let result = step(&mut state);
        self.refusing.store(state.refuses_all(), Relaxed);
        result
    }
}

impl fmt::Debug for FairSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FairSemaphore").field("status", &self.status()).finish_non_exhaustive()
    }
}
