//! How the calls of the last span of time ended.
//!
//! Time is cut into buckets of equal width, counted from the origin of [`Time`]; a window is the newest
//! bucket and those before it. It moves on bucket by bucket, and its sums with it.

mod kinds;
#[cfg(all(test, not(portcullis_loom)))]
mod tests;

use std::time::Duration;

use self::kinds::Kinds;
use super::Counts;
use crate::{Time, time::nanos};

/// Shorter ones would be empty between two calls.
const MIN_SPAN: Duration = Duration::from_millis(1);
/// Beyond a day nobody asks a breaker.
const MAX_SPAN: Duration = Duration::from_secs(24 * 60 * 60);
/// More are only memory: the window's edge is sharp to a thousandth then.
const MAX_BUCKETS: u32 = 1_000;

/// The last instant that has a bucket, so that no two buckets end at the end of time.
const LAST: u64 = u64::MAX - 1;

/// Calls of the last `span`, counted in equal buckets.
///
/// The window covers the bucket of the latest time it was told of, and those before it. What belongs to
/// an earlier bucket that it still covers is counted there; what belongs to one that has left is not
/// counted. No step of time is too large and none panics, in either direction.
///
/// A failure is told as it happens. Successes come in numbers, from counters that know when their bucket
/// ends: see [`end_of`](Self::end_of).
///
/// ```
/// use portcullis_core::{Time, window::TimeWindow};
/// use std::time::Duration;
///
/// let mut window = TimeWindow::new(Duration::from_secs(60), 6);
/// let start = Time::from_millis(5_000);
/// let end = window.end_of(start);
/// assert_eq!(end, Time::from_millis(10_000));
///
/// window.failure(start, 0, false);
/// window.add_successes(end, 3);
/// assert_eq!(window.sum().failure_ratio(), 0.25);
///
/// window.advance(Time::from_millis(59_999)); // the sixth bucket: the first is still there
/// assert_eq!(window.sum().calls(), 4);
/// window.advance(Time::from_millis(60_000));
/// assert_eq!(window.sum().calls(), 0);
/// assert!(!window.holds(end));
/// ```
#[derive(Clone, Debug)]
pub struct TimeWindow {
    /// A ring; the newest is at `head`, and the one before it before it.
    buckets: Box<[Bucket]>,
    kinds: Option<Box<Kinds>>,
    sum: Counts,
    /// Of each bucket, in nanoseconds; never 0.
    width: u64,
    /// The newest bucket's number: how many came before it since the origin.
    newest: u64,
    /// When the newest bucket ends.
    end: Time,
    head: usize,
    /// How many failures there may be, until the next bucket begins, before somebody has to think about
    /// another.
    most: u64,
}

/// What is counted in one bucket; each count stops at its end.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    successes: u32,
    failures: u32,
    slow: u32,
}

impl TimeWindow {
    /// An empty window over `span`, 1 ms to 24 hours, in 1 to 1000 buckets; the nearest of these for any
    /// other. A bucket's width is rounded up to whole nanoseconds.
    pub fn new(span: Duration, buckets: u32) -> Self {
        let buckets = buckets.clamp(1, MAX_BUCKETS);
        let width = nanos(span.clamp(MIN_SPAN, MAX_SPAN)).div_ceil(u64::from(buckets));
        Self {
            buckets: vec![Bucket::default(); buckets as usize].into_boxed_slice(),
            kinds: None,
            sum: Counts::default(),
            width,
            newest: 0,
            end: Time::from_nanos(width),
            head: 0,
            most: 0,
        }
    }

    /// When the bucket that `now` is in ends: the first instant that is no longer in it, or the end of time.
    pub fn end_of(&self, now: Time) -> Time {
        self.end_of_number(self.number(now))
    }

    /// Moves on to the bucket that `now` is in, and drops those that leave; does nothing when `now` is not
    /// after the newest bucket. At most as many steps as there are buckets.
    #[inline]
    pub fn advance(&mut self, now: Time) {
        if now >= self.end {
            self.advance_to(self.number(now));
        }
    }

    /// Adds `n` successes to the bucket that ends at `end`, as [`end_of`](Self::end_of) said; moves on to it
    /// when it is newer than the newest, and does nothing more when it has left the window.
    ///
    /// An `end` from before a [`resize`](Self::resize) means the bucket in which the old one ends.
    pub fn add_successes(&mut self, end: Time, n: u64) {
        if let Some(slot) = self.slot_at(last_of(end)) {
            add(&mut self.buckets[slot].successes, &mut self.sum.successes, n);
        }
    }

    /// The same with failures of no kind.
    pub(crate) fn add_failures(&mut self, end: Time, n: u64) {
        if let Some(slot) = self.slot_at(last_of(end)) {
            add(&mut self.buckets[slot].failures, &mut self.sum.failures, n);
        }
    }

    /// Whether the bucket that ends at `end` is in the window.
    pub fn holds(&self, end: Time) -> bool {
        self.slot(self.number(last_of(end))).is_some()
    }

    /// Counts a failure of a `kind` below 16, moving on to `now`.
    pub fn failure(&mut self, now: Time, kind: u8, slow: bool) {
        let Some(slot) = self.slot_at(now) else { return };
        add(&mut self.buckets[slot].failures, &mut self.sum.failures, 1);
        add(&mut self.buckets[slot].slow, &mut self.sum.slow, u64::from(slow));
        if let Some(kinds) = &mut self.kinds {
            kinds.add(slot, kind, 1);
        }
    }

    /// Whether a failure at `now` is in the newest bucket, and [no more](Self::allow) than are allowed.
    #[inline]
    pub(crate) fn allows(&self, now: Time) -> bool {
        self.sum.failures < self.most && now < self.end && now >= self.start()
    }

    /// [Allows](Self::allows) so many failures in the window, until it moves on to another bucket: up to then
    /// there are only more calls. None while failures are counted by kind.
    pub(crate) fn allow(&mut self, most: u64) {
        self.most = if self.kinds.is_none() { most } else { 0 };
    }

    /// Counts that a success was slow, moving on to `now`. The success itself is for
    /// [`add_successes`](Self::add_successes).
    pub fn slow_success(&mut self, now: Time) {
        if let Some(slot) = self.slot_at(now) {
            add(&mut self.buckets[slot].slow, &mut self.sum.slow, 1);
        }
    }

    /// What the window holds, as of the latest time it was told of.
    #[inline]
    pub fn sum(&self) -> Counts {
        self.sum
    }

    /// How many failures in the window are of this kind, of those counted since
    /// [`count_kinds`](Self::count_kinds) was switched on; 0 while it is off.
    pub fn sum_of_kind(&self, kind: u8) -> u64 {
        self.kinds.as_ref().map_or(0, |kinds| kinds.sum(kind))
    }

    /// Whether failures are counted by kind (off at first).
    pub fn count_kinds(&mut self, on: bool) {
        self.most = 0;
        match &self.kinds {
            Some(_) if on => {}
            _ => self.kinds = on.then(|| Box::new(Kinds::new(self.buckets.len()))),
        }
    }

    /// Makes it a window over `span` in so many buckets, at `now`, and keeps what fits: what was in an old
    /// bucket is then in the new one that the old one's last nanosecond lies in, but in none after `now`'s.
    ///
    /// What is kept may so leave later than it would have, by at most the widths of an old bucket and a new
    /// one; it never leaves earlier.
    pub fn resize(&mut self, span: Duration, buckets: u32, now: Time) {
        self.advance(now);
        let mut new = Self::new(span, buckets);
        new.count_kinds(self.kinds.is_some());
        new.advance(now.max(self.start()));
        for age in 0..self.buckets.len() as u64 {
            let Some(number) = self.newest.checked_sub(age) else { break };
            new.adopt(self, number);
        }
        *self = new;
    }

    /// Forgets everything but the time.
    pub fn clear(&mut self) {
        self.buckets.fill(Bucket::default());
        self.sum = Counts::default();
        self.most = 0;
        if let Some(kinds) = &mut self.kinds {
            kinds.clear();
        }
    }

    /// Bytes on the heap, beside those of the window itself.
    pub fn heap_bytes(&self) -> usize {
        let kinds = self.kinds.as_deref().map_or(0, |kinds| size_of_val(kinds) + kinds.heap_bytes());
        size_of_val(&*self.buckets) + kinds
    }

    /// The number of the bucket that `now` is in.
    fn number(&self, now: Time) -> u64 {
        now.as_nanos().min(LAST) / self.width
    }

    fn end_of_number(&self, number: u64) -> Time {
        Time::from_nanos((number + 1).saturating_mul(self.width))
    }

    /// When the newest bucket starts.
    fn start(&self) -> Time {
        Time::from_nanos(self.newest * self.width)
    }

    /// Where the bucket of this number is, if it is in the window.
    fn slot(&self, number: u64) -> Option<usize> {
        let age = usize::try_from(self.newest.checked_sub(number)?).ok()?;
        let len = self.buckets.len();
        (age < len).then(|| if age <= self.head { self.head - age } else { self.head + len - age })
    }

    /// Moves on to `now`, and says where its bucket is, if that is in the window.
    fn slot_at(&mut self, now: Time) -> Option<usize> {
        self.advance(now);
        // Nearly always the newest, and found without a division.
        if now >= self.start() { Some(self.head) } else { self.slot(self.number(now)) }
    }

    fn advance_to(&mut self, number: u64) {
        let steps = number.saturating_sub(self.newest);
        if steps < self.buckets.len() as u64 {
            (0..steps).for_each(|_| self.step());
        } else if self.sum != Counts::default() {
            self.clear();
        }
        self.most = 0;
        self.newest = self.newest.max(number);
        self.end = self.end_of_number(self.newest);
    }

    /// Empties the oldest bucket, which is then the newest.
    fn step(&mut self) {
        self.head = if self.head + 1 == self.buckets.len() { 0 } else { self.head + 1 };
        let left = std::mem::take(&mut self.buckets[self.head]);
        self.sum.successes -= u64::from(left.successes);
        self.sum.failures -= u64::from(left.failures);
        self.sum.slow -= u64::from(left.slow);
        if let Some(kinds) = &mut self.kinds {
            kinds.empty(self.head);
        }
    }

    /// Takes over what `old` has in its bucket of this number.
    fn adopt(&mut self, old: &Self, number: u64) {
        let home = self.number(last_of(old.end_of_number(number))).min(self.newest);
        let (Some(from), Some(slot)) = (old.slot(number), self.slot(home)) else { return };
        let (bucket, counts) = (&mut self.buckets[slot], old.buckets[from]);
        add(&mut bucket.successes, &mut self.sum.successes, u64::from(counts.successes));
        add(&mut bucket.failures, &mut self.sum.failures, u64::from(counts.failures));
        add(&mut bucket.slow, &mut self.sum.slow, u64::from(counts.slow));
        if let (Some(kinds), Some(old)) = (&mut self.kinds, &old.kinds) {
            kinds.add_all(slot, old, from);
        }
    }
}

/// The last instant before `end`.
fn last_of(end: Time) -> Time {
    Time::from_nanos(end.as_nanos().saturating_sub(1))
}

/// Adds to a bucket's count as much as it has room for, and the same to the sum: what leaves with the
/// bucket is what came with it.
fn add(count: &mut u32, sum: &mut u64, n: u64) {
    let n = (u32::MAX - *count).min(u32::try_from(n).unwrap_or(u32::MAX));
    *count += n;
    *sum += u64::from(n);
}
