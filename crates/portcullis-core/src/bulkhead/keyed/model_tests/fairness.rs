//! What each key comes to, whatever the others do.

use std::collections::VecDeque;

use super::*;

/// Keys that want more than there is.
struct Crowd {
    semaphore: FairSemaphore,
    accounts: Vec<Arc<Account>>,
    /// Whose calls run, in order.
    running: VecDeque<usize>,
    waiting: Vec<(usize, Place)>,
    served: Vec<u32>,
}

impl Crowd {
    fn new(config: Config, keys: usize) -> Self {
        let semaphore = FairSemaphore::new(config).unwrap();
        let accounts = (0..keys).map(|_| Arc::new(semaphore.account())).collect();
        let (running, waiting) = (VecDeque::new(), Vec::new());
        Self { semaphore, accounts, running, waiting, served: vec![0; keys] }
    }

    /// This key takes or queues as much as it is let.
    fn grab(&mut self, key: usize) {
        loop {
            match self.semaphore.enter(&self.accounts[key], 1) {
                Ok(Entered::Acquired(_)) => self.running.push_back(key),
                Ok(Entered::Waiting(place)) => self.waiting.push((key, place)),
                Err(_) => return self.see(),
            }
        }
    }

    /// Those whose turn has come run, and those who lost their places go.
    fn see(&mut self) {
        for (key, place) in std::mem::take(&mut self.waiting) {
            match self.semaphore.poll(&place, Waker::noop()) {
                Poll::Pending => self.waiting.push((key, place)),
                Poll::Ready(Turn::Granted(_)) => {
                    self.running.push_back(key);
                    self.served[key] += 1;
                }
                Poll::Ready(Turn::Displaced(_)) => {}
            }
        }
    }

    fn end_oldest(&mut self) {
        if let Some(key) = self.running.pop_front() {
            self.semaphore.release(&self.accounts[key], 1);
        }
        self.see();
    }

    fn held(&self) -> Vec<u64> {
        self.accounts.iter().map(|account| account.in_flight()).collect()
    }

    fn queued(&self) -> Vec<u32> {
        self.accounts.iter().map(|account| account.queued()).collect()
    }
}

/// Nobody has one more than another.
fn is_even<T: Copy + Ord + Into<u64>>(counts: &[T]) -> bool {
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    (*most).into() - (*least).into() <= 1
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// One key has taken all it can, and asks for more before anybody else whenever a call ends. Once the calls
    /// have ended that ran when the others came, every key has its share, and keeps it. Where that is a single
    /// permit, a key is not counted while it has none, and gets one again and again.
    #[test]
    fn where_nobody_waits_every_key_comes_to_its_share(
        overall in 1u32..60,
        keys in 2usize..6,
        asks in prop::collection::vec(prop::collection::vec(0usize..6, 0..8), 1..50),
    ) {
        prop_assume!(overall as usize > keys);
        let mut crowd = Crowd::new(Config { overall, ..Config::default() }, keys);
        crowd.grab(0);
        let share = u64::from(overall) / (keys as u64 + 1);
        let mut had = vec![0; keys];
        for round in 0..6 * overall as usize {
            crowd.end_oldest();
            // Anybody may be first, and key 0 is. All ask at last.
            crowd.grab(0);
            asks[round % asks.len()].iter().for_each(|key| crowd.grab(key % keys));
            (0..keys).for_each(|key| crowd.grab(key));
            let held = crowd.held();
            prop_assert!(held.iter().sum::<u64>() <= u64::from(overall));
            if round > 2 * overall as usize {
                prop_assert!(share < 2 || held.iter().all(|held| *held >= share), "{held:?} of {share}");
                had.iter_mut().zip(held).for_each(|(had, held)| *had += held);
            }
        }
        prop_assert!(!had.contains(&0), "{had:?}");
    }

    /// With a queue all keys that want more hold the same, though one had all when the others came.
    #[test]
    fn where_calls_wait_all_keys_hold_the_same(overall in 1u32..40, queue in 1u32..40, keys in 2usize..6) {
        prop_assume!(queue as usize >= keys);
        let config = Config { overall, max_queued: queue, ..Config::default() };
        let mut crowd = Crowd::new(config, keys);
        crowd.grab(0);
        prop_assert_eq!(crowd.held()[0], u64::from(overall));
        prop_assert_eq!(crowd.queued()[0], queue, "it has filled the queue, too");
        (1..keys).rev().for_each(|key| crowd.grab(key));
        prop_assert!(is_even(&crowd.queued()), "{:?} wait", crowd.queued());
        for round in 0..3 * overall {
            crowd.end_oldest();
            (0..keys).for_each(|key| crowd.grab(key));
            if round > overall {
                prop_assert!(is_even(&crowd.held()), "{:?} in flight", crowd.held());
            }
            prop_assert!(is_even(&crowd.queued()), "{:?} wait", crowd.queued());
        }
        prop_assert_eq!(crowd.semaphore.status().queued, queue);
    }

    /// One permit: the keys take turns, however much each wants.
    #[test]
    fn keys_take_turns_at_a_single_permit(keys in 2usize..8, rounds in 1usize..40) {
        let config = Config { overall: 1, max_queued: 20, ..Config::default() };
        let mut crowd = Crowd::new(config, keys);
        (0..keys).for_each(|key| crowd.grab(key));
        crowd.served = vec![0; keys];
        for _ in 0..rounds * keys {
            crowd.end_oldest();
            (0..keys).for_each(|key| crowd.grab(key));
        }
        prop_assert!(is_even(&crowd.served), "{:?} served", crowd.served);
    }

    /// A key whose own limit is reached stands in nobody's way, whatever it has in the queue.
    #[test]
    fn a_key_at_its_limit_keeps_nobody_waiting(per_key in 1u32..10, more in 1u32..10) {
        let config =
            Config { overall: per_key + more, per_key: Some(per_key), max_queued: 5, ..Config::default() };
        let mut crowd = Crowd::new(config, 2);
        crowd.grab(0);
        let (held, queued) = (crowd.held()[0], crowd.queued()[0]);
        prop_assert_eq!((held, queued), (u64::from(per_key), 5));
        for _ in 0..more.min(per_key) {
            prop_assert_eq!(crowd.semaphore.take(&crowd.accounts[1], 1), Ok(1));
        }
    }
}
