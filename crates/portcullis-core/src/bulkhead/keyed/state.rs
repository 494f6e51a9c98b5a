//! What is decided under the lock.

use std::{sync::Arc, task::Waker};

use super::{Account, Config, Status, Turn, line::Line, needs, share};
use crate::{Mode, Reason};

pub(super) struct State {
    config: Config,
    /// What a key may hold, whoever else there is.
    most: u64,
    used: u64,
    /// Keys that hold something.
    holding: u64,
    pub(super) line: Line,
}

/// What came of entering: so many permits, or a number in the line.
pub(super) type Entered = Result<u32, u64>;

impl State {
    pub(super) fn new(config: Config) -> Self {
        Self { most: share::most(&config), config, used: 0, holding: 0, line: Line::default() }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn change(&mut self, config: Config) {
        self.most = share::most(&config);
        self.config = config;
        self.line.rank_all(self.most);
    }

    #[inline]
    pub(super) fn try_take(&mut self, account: &Account, weight: u32) -> Option<u32> {
        let (need, held) = (needs(weight, self.most), account.in_flight());
        if self.config.mode == Mode::Disabled {
            return Some(0);
        }
        let may = need <= self.free() && held + need <= self.limit(account) && self.is_next(account);
        may.then(|| {
            self.hold(account, held + need);
            need as u32
        })
    }

    /// Takes the permits or a place in the line; returns whom to wake because he lost his.
    pub(super) fn enter(
        &mut self,
        account: &Arc<Account>,
        weight: u32,
    ) -> (Result<Entered, Reason>, Option<Waker>) {
        if let Some(taken) = self.try_take(account, weight) {
            return (Ok(Ok(taken)), None);
        }
        let refused = self.refusal(account, weight);
        if self.config.mode == Mode::Shadow {
            let missing = self.missing(account, weight);
            let may_wait = missing <= u64::from(self.config.max_queued);
            return (if may_wait { Ok(Ok(self.force(account, weight))) } else { Err(refused) }, None);
        }
        let Some(displaced) = self.make_room(account) else { return (Err(refused), None) };
        (Ok(Err(self.line.push(account, weight, self.most))), displaced)
    }

    /// Whether there is a place in the line, and whom to wake because he lost it.
    fn make_room(&mut self, account: &Account) -> Option<Option<Waker>> {
        if self.line.len() < self.config.max_queued as usize {
            return Some(None);
        }
        if self.config.max_queued == 0 {
            return None;
        }
        let (limit, used) = (self.fair_limit(account), self.used);
        self.line.displace(account.queued(), self.most, |greedy| key_full(greedy, limit, used))
    }

    pub(super) fn force(&mut self, account: &Account, weight: u32) -> u32 {
        if self.config.mode == Mode::Disabled {
            return 0;
        }
        let need = needs(weight, self.most);
        self.hold(account, account.in_flight() + need);
        need as u32
    }

    /// Whether somebody waits to whom the permits go.
    #[inline]
    pub(super) fn release(&mut self, account: &Account, taken: u32) -> bool {
        self.hold(account, account.in_flight().saturating_sub(u64::from(taken)));
        self.line.len() > 0
    }

    pub(super) fn leave(&mut self, account: &Account, number: u64) -> (Option<Turn>, Option<Waker>) {
        match self.line.fetch(number) {
            Some(turn) => (Some(turn), None),
            None => (None, self.line.remove(account.id(), number, self.most)),
        }
    }

    /// Gives permits to who is next, if they are free; returns whom to wake.
    pub(super) fn call_next(&mut self) -> Option<Option<Waker>> {
        let (id, weight) = match self.config.mode {
            Mode::Disabled | Mode::Shadow => self.line.any()?,
            _ => {
                let (id, _, weight) = self.line.next()?;
                (id, Some(weight).filter(|weight| needs(*weight, self.most) <= self.free())?)
            }
        };
        let need = if self.config.mode == Mode::Disabled { 0 } else { needs(weight, self.most) };
        let (account, waker) = self.line.call(id, need as u32)?;
        self.hold(&account, account.in_flight() + need);
        self.line.rank(id, self.most);
        Some(waker)
    }

    /// Why a call is refused.
    pub(super) fn refusal(&self, account: &Account, weight: u32) -> Reason {
        let (need, limit) = (needs(weight, self.most), self.fair_limit(account));
        if account.in_flight() + need > limit {
            return key_full(account, limit, self.used);
        }
        let (limit, free, queued) = (self.config.overall, self.free() as u32, self.line.len() as u32);
        match (need, free) {
            (1, 0) => Reason::BulkheadFull { limit, queued },
            _ => Reason::BulkheadShort { limit, free, queued, weight: need as u32 },
        }
    }

    /// What a key may hold now.
    #[inline]
    pub(super) fn limit(&self, account: &Account) -> u64 {
        let held = account.in_flight();
        let others = self.holding - u64::from(held > 0);
        share::limit(&self.config, held, others, self.free())
    }

    /// The same, where others are waited for: it may have more only as long as nobody wants it.
    fn fair_limit(&self, account: &Account) -> u64 {
        if self.config.max_queued == 0 {
            return self.limit(account);
        }
        let newcomer = account.in_flight() == 0 && account.queued() == 0;
        let keys = self.holding + self.line.empty_handed() + u64::from(newcomer);
        fair(&self.config, self.most, keys)
    }

    #[inline]
    pub(super) fn refuses_all(&self) -> bool {
        if self.used < u64::from(self.config.overall) || self.config.mode != Mode::Enforce {
            return false;
        }
        let full = self.line.len() >= self.config.max_queued as usize;
        full && (self.config.max_queued == 0 || self.line.longest() < 2)
    }

    pub(super) fn status(&self) -> Status {
        Status {
            in_flight: self.used,
            limit: self.config.overall,
            queued: self.line.len() as u32,
            holding: self.holding,
            mode: self.config.mode,
        }
    }

    #[inline]
    fn free(&self) -> u64 {
        u64::from(self.config.overall).saturating_sub(self.used)
    }

    /// Whether nobody else comes before a call that comes now: neither of its own key, nor of one that holds no
    /// more.
    #[inline]
    fn is_next(&self, account: &Account) -> bool {
        self.line.len() == 0 || self.is_before_all(account)
    }

    fn is_before_all(&self, account: &Account) -> bool {
        let first = self.line.next();
        account.queued() == 0 && first.is_none_or(|(_, held, _)| account.in_flight() < held)
    }

    /// Permits that would have to come back before the call could go.
    fn missing(&self, account: &Account, weight: u32) -> u64 {
        let need = needs(weight, self.most);
        let of_all = (self.used + need).saturating_sub(u64::from(self.config.overall));
        of_all.max((account.in_flight() + need).saturating_sub(self.limit(account)))
    }

    /// Lets a key hold so many.
    #[inline]
    fn hold(&mut self, account: &Account, permits: u64) {
        let before = account.in_flight();
        account.hold(permits);
        self.used = self.used + permits - before;
        self.holding = self.holding + u64::from(permits > 0) - u64::from(before > 0);
        if account.queued() > 0 {
            self.line.rank(account.id(), self.most);
        }
    }
}

/// What a key has when so many share.
fn fair(config: &Config, most: u64, keys: u64) -> u64 {
    (u64::from(config.overall) / keys.max(1)).clamp(1, most)
}

fn key_full(account: &Account, limit: u64, overall: u64) -> Reason {
    let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let (in_flight, queued) = (small(account.in_flight()), account.queued());
    Reason::KeyFull { limit: small(limit), in_flight, overall: small(overall), queued }
}
