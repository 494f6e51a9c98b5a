//! Calls in the order in which their times end.

use portcullis_core::Time;

/// What is allocated at once.
const BLOCK: usize = 32;
/// So many blocks are kept for the next calls when there are none any more.
const KEPT: usize = 4;
/// How many of those that came before may be over later than who comes now.
const STEPS: usize = 8;
/// No index.
const NONE: u32 = u32::MAX;
/// In place of who stands before: somebody stands here who was called.
const CALLED: u32 = u32::MAX - 1;
/// The same for nobody.
const VACANT: u32 = u32::MAX - 2;

/// A line of those that wait, the first to be over at its head.
///
/// Calls with one limit come in order, so that who comes is the last: that costs the same however long the line is.
/// Who comes as if a few had come after it finds its place too; any other is told to wait elsewhere.
pub(super) struct Line<W> {
    blocks: Vec<Box<[Spot<W>; BLOCK]>>,
    first: u32,
    last: u32,
    /// The first that is vacant.
    vacant: u32,
    /// From here on nobody stood yet.
    fresh: u32,
    /// How many have a place.
    len: u32,
}

/// Room for one.
struct Spot<W> {
    over: Time,
    /// Not there any more when it was called.
    waits: Option<W>,
    before: u32,
    /// Or the next that is vacant.
    after: u32,
}

/// Where somebody stands until it leaves, also if it was called.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place(u32);

impl<W> Line<W> {
    pub(super) const fn new() -> Self {
        Self { blocks: Vec::new(), first: NONE, last: NONE, vacant: NONE, fresh: 0, len: 0 }
    }

    /// Whether nobody waits.
    pub(super) const fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// When the first is over.
    pub(super) fn over(&self) -> Option<Time> {
        self.spot(self.first).map(|spot| spot.over)
    }

    /// Lines up somebody whose time is over then; back to who would have to be too far from the end.
    #[inline(always)]
    pub(super) fn enter(&mut self, over: Time, waits: W) -> Result<Place, W> {
        let (Some(before), Some(index)) = (self.before(over), self.room()) else { return Err(waits) };
        let after = match self.spot_mut(before) {
            Some(spot) => std::mem::replace(&mut spot.after, index),
            None => std::mem::replace(&mut self.first, index),
        };
        match self.spot_mut(after) {
            Some(spot) => spot.before = index,
            None => self.last = index,
        }
        if let Some(spot) = self.spot_mut(index) {
            *spot = Spot { over, waits: Some(waits), before, after };
        }
        self.len += 1;
        Ok(Place(index))
    }

    /// What who stands here waits with; nothing if it was called.
    pub(super) fn at(&mut self, place: &Place) -> Option<&mut W> {
        self.spot_mut(place.0)?.waits.as_mut()
    }

    /// What who stood here waited with, if it was not called.
    #[inline(always)]
    pub(super) fn leave(&mut self, place: Place) -> Option<W> {
        let waits = self.take(place.0);
        let vacant = self.vacant;
        let spot = self.spot_mut(place.0).filter(|spot| spot.before != VACANT)?;
        (spot.before, spot.after) = (VACANT, vacant);
        self.vacant = place.0;
        self.len -= 1;
        if self.len == 0 && self.blocks.len() > KEPT {
            self.give_back();
        }
        waits
    }

    /// What the first waited with, if it is over now.
    pub(super) fn call(&mut self, now: Time) -> Option<W> {
        let is_over = self.over()? <= now;
        if is_over { self.take(self.first) } else { None }
    }

    /// Out of the line, but still here.
    fn take(&mut self, index: u32) -> Option<W> {
        let spot = self.spot_mut(index)?;
        let waits = spot.waits.take()?;
        let (before, after) = (std::mem::replace(&mut spot.before, CALLED), spot.after);
        match self.spot_mut(before) {
            Some(spot) => spot.after = after,
            None => self.first = after,
        }
        match self.spot_mut(after) {
            Some(spot) => spot.before = before,
            None => self.last = before,
        }
        Some(waits)
    }

    /// After whom somebody stands who is over then, and `NONE` for the head; nothing if that is too far away.
    fn before(&self, over: Time) -> Option<u32> {
        let mut before = self.last;
        for _ in 0..=STEPS {
            match self.spot(before) {
                Some(spot) if spot.over > over => before = spot.before,
                _ => return Some(before),
            }
        }
        None
    }

    /// Where there is nobody.
    fn room(&mut self) -> Option<u32> {
        if let Some(spot) = self.spot(self.vacant) {
            let next = spot.after;
            return Some(std::mem::replace(&mut self.vacant, next));
        }
        let index = self.fresh;
        if index == VACANT {
            return None;
        }
        if index as usize / BLOCK == self.blocks.len() {
            self.blocks.push(Box::new(std::array::from_fn(|_| Spot::empty())));
        }
        self.fresh += 1;
        Some(index)
    }

    #[cold]
    fn give_back(&mut self) {
        self.blocks.truncate(KEPT);
        self.blocks.shrink_to_fit();
        (self.vacant, self.fresh) = (NONE, 0);
    }

    fn spot(&self, index: u32) -> Option<&Spot<W>> {
        Some(&self.blocks.get(index as usize / BLOCK)?[index as usize % BLOCK])
    }

    fn spot_mut(&mut self, index: u32) -> Option<&mut Spot<W>> {
        Some(&mut self.blocks.get_mut(index as usize / BLOCK)?[index as usize % BLOCK])
    }
}

impl<W> Spot<W> {
    const fn empty() -> Self {
        Self { over: Time::ORIGIN, waits: None, before: VACANT, after: NONE }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    fn all(line: &mut Line<u32>) -> Vec<u32> {
        std::iter::from_fn(|| line.call(Time::from_nanos(u64::MAX))).collect()
    }

    #[test]
    fn who_is_over_first_is_called_first() {
        let mut line = Line::new();
        let [first, second, third, _] = [10, 20, 30, 40].map(|n| line.enter(at(n.into()), n).unwrap());
        assert_eq!((line.over(), line.call(at(9)), line.call(at(10))), (Some(at(10)), None, Some(10)));
        assert_eq!((line.at(&first).copied(), line.leave(third), line.leave(first)), (None, Some(30), None));
        // As if it had come before the last, and after one that is over then, too.
        line.enter(at(20), 21).unwrap();
        assert_eq!(line.at(&second).copied(), Some(20));
        assert_eq!((all(&mut line), line.is_empty(), line.over()), (vec![20, 21, 40], true, None));
    }

    #[test]
    fn who_would_come_long_before_the_last_waits_elsewhere() {
        let mut line = Line::new();
        for n in 0..STEPS as u32 {
            line.enter(at(100), n).unwrap();
        }
        line.enter(at(99), 99).unwrap();
        assert_eq!(line.enter(at(99), 7), Ok(Place(STEPS as u32 + 1)));
        assert_eq!(line.enter(at(98), 98), Err(98));
        assert_eq!(all(&mut line), [99, 7, 0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn the_room_of_many_is_given_back_once_all_have_left() {
        let mut line = Line::new();
        let many = 100 * BLOCK as u32;
        let places: Vec<_> = (0..many).map(|n| line.enter(at(1), n).unwrap()).collect();
        assert_eq!(line.blocks.len(), 100);
        assert_eq!(line.call(at(1)), Some(0));
        let mut places = places.into_iter();
        let called = places.next().unwrap();
        assert!(places.rev().all(|place| line.leave(place).is_some()));
        assert_eq!((line.blocks.len(), line.is_empty()), (100, true), "who was called still has its place");
        assert_eq!((line.leave(called), line.blocks.len()), (None, KEPT));
        let again = line.enter(at(1), 1).unwrap();
        assert_eq!((line.leave(again), line.len), (Some(1), 0));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Enter(u64),
        Leave(usize),
        Call(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..20_u64).prop_map(Step::Enter),
            2 => (0..200_usize).prop_map(Step::Leave),
            1 => (0..30_u64).prop_map(Step::Call),
        ]
    }

    proptest! {
        /// Against a list that is sorted each time; time goes on by one with each who comes.
        #[test]
        fn it_does_as_a_sorted_list(steps in prop::collection::vec(step(), 0..400)) {
            let (mut line, mut list, mut places, mut clock) = (Line::new(), Vec::new(), Vec::new(), 0);
            for (n, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Enter(early) => {
                        clock += 1;
                        let over = at(100 + clock - early.min(clock));
                        let later = list.iter().filter(|(other, _)| *other > over).count();
                        let place = line.enter(over, n);
                        prop_assert_eq!(place.is_ok(), later <= STEPS);
                        if let Ok(place) = place {
                            list.insert(list.len() - later, (over, n));
                            places.push((place, n));
                        }
                    }
                    Step::Leave(which) if which < places.len() => {
                        let (place, n) = places.swap_remove(which);
                        let stands = list.iter().any(|(_, other)| *other == n);
                        prop_assert_eq!(line.at(&place).copied(), stands.then_some(n));
                        prop_assert_eq!(line.leave(place), stands.then_some(n));
                        list.retain(|(_, other)| *other != n);
                    }
                    Step::Leave(_) => {}
                    Step::Call(late) => {
                        let now = at(80 + clock + late);
                        let first = list.first().copied().filter(|(over, _)| *over <= now);
                        prop_assert_eq!(line.call(now), first.map(|(_, n)| n));
                        if first.is_some() {
                            list.remove(0);
                        }
                    }
                }
                prop_assert_eq!(line.over(), list.first().map(|(over, _)| *over));
                prop_assert_eq!((line.is_empty(), line.len as usize), (list.is_empty(), places.len()));
            }
            let left: Vec<_> = std::iter::from_fn(|| line.call(Time::from_nanos(u64::MAX))).collect();
            prop_assert_eq!(left, list.into_iter().map(|(_, n)| n).collect::<Vec<_>>());
        }
    }
}
