//! The state of a cache.

use std::{
    hash::Hash,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    time::Duration,
};

use moka::Equivalent;
use portcullis_core::{
    ConfigError, Mode, Name,
    cache::{Config, Freshness, Lifetime, Windows},
};

use super::{
    CacheStatus, Key, Lasts, Value,
    entry::{Entry, Served},
    measure::{self, Count, Counts},
    policy::Single,
    refresh::Refreshes,
    store::Store,
    stripes::Stripes,
    why::Why,
};
use crate::{
    clock,
    dice::Dice,
    event::Emitter,
    flight::{Bounds, Flights, Joined},
    live::Live,
    metrics::Measures,
    registry::{Action, Policy, Snapshot},
};

/// The longest that anything is kept: a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Calls in flight, and those that wait for one of them: more make calls of their own.
const BOUNDS: Bounds = Bounds { keys: 100_000, waiting: 100_000 };

const SHADOW: u8 = 101;
const DISABLED: u8 = 102;

pub(super) struct Shared<K, V> {
    pub(super) emitter: Emitter,
    pub(super) config: Live<Config>,
    /// The mode, for where every call goes: percent of the calls that are served, or one of the two above.
    mode: AtomicU8,
    dice: Dice,
    single: Single<K, V>,
    store: Store<K, V>,
    stripes: Stripes,
    flights: Flights,
    /// One at a time.
    changing: Mutex<()>,
    pub(super) refreshes: Refreshes,
    counts: Counts,
}

/// What a cache does for a call.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Serving {
    Yes,
    Shadow,
    Off,
}

/// What there is for a key.
pub(super) enum Found<V> {
    Fresh(Arc<Entry<V>>),
    Stale(Arc<Entry<V>>),
    /// Nothing, or something for when the call fails.
    Nothing(Option<Arc<Entry<V>>>),
}

/// The key of a flight: what was thrown away since it began is none of its business any more, so that who comes after
/// that begins another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Course<K> {
    pub(super) key: K,
    pub(super) generation: u64,
}

impl<K: Key, V: Value> Shared<K, V> {
    pub(super) fn new(emitter: Emitter, config: Config, seed: Option<u64>, single: Single<K, V>) -> Self {
        Self {
            emitter,
            mode: AtomicU8::new(number(config.mode)),
            dice: Dice::new(seed),
            single,
            store: Store::new(&config),
            stripes: Stripes::default(),
            flights: Flights::default(),
            changing: Mutex::new(()),
            refreshes: Refreshes::default(),
            counts: Counts::default(),
            config: Live::new(config),
        }
    }

    pub(super) fn name(&self) -> &Name {
        self.emitter.name()
    }

    pub(super) fn count(&self, count: Count) {
        self.counts.add(count);
    }

    /// What the mode says for this call.
    #[inline]
    pub(super) fn serving(&self) -> Serving {
        match self.mode.load(Relaxed) {
            100 => Serving::Yes,
            SHADOW => Serving::Shadow,
            DISABLED => Serving::Off,
            percent if self.dice.happens(f64::from(percent) / 100.0) => Serving::Yes,
            _ => Serving::Shadow,
        }
    }

    /// What there is for this key that fits.
    #[inline]
    pub(super) fn find<Q>(&self, key: &Q, fits: impl FnOnce(&V, Duration) -> bool) -> Found<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let Some(entry) = self.store.get(key) else { return Found::Nothing(None) };
        let now = clock::now();
        let freshness = entry.at(now);
        if freshness == Freshness::Gone || !fits(&entry.value, entry.age(now)) {
            return Found::Nothing(None);
        }
        match freshness {
            Freshness::Fresh => Found::Fresh(entry),
            Freshness::Stale => Found::Stale(entry),
            Freshness::IfError | Freshness::Gone => Found::Nothing(Some(entry)),
        }
    }

    /// Where calls of this key belong now.
    pub(super) fn course(&self, key: K) -> Course<K> {
        let generation = *self.stripes.of(&key);
        Course { key, generation }
    }

    /// Leads the call of a key, or waits for another's.
    pub(super) fn join<E: Send + Sync + 'static>(
        &self,
        course: Course<K>,
    ) -> Joined<Course<K>, Result<Served<V>, E>> {
        self.flights.join(course, BOUNDS)
    }

    /// Something to be served in place of a failure of this kind, or of a refusal.
    pub(super) fn instead(&self, entry: Option<&Arc<Entry<V>>>, why: Why) -> Option<Served<V>> {
        let now = clock::now();
        let entry = entry.filter(|entry| entry.life.serves_errors(now))?;
        why.is_covered(&self.config.load()).then(|| {
            self.count(Count::Stale);
            Served::of(entry, now)
        })
    }

    /// Whether a value that lasts so long is kept at all, as far as that is known before there is one.
    pub(super) fn keeps(&self, lasts: &Lasts) -> bool {
        !lasts.negative || self.config.load().negative_ttl.is_some()
    }

    /// Keeps what a call has come to, unless what it belongs to was thrown away since. Whether it did.
    pub(super) fn keep(&self, course: &Course<K>, value: V, lasts: Lasts) -> bool {
        let config = self.config.load();
        let Some(entry) = self.entry(&course.key, value, lasts, &config) else { return false };
        let stripe = self.stripes.of(&course.key);
        let current = *stripe == course.generation;
        if current {
            self.store.insert(course.key.clone(), entry, &config);
        }
        current
    }

    /// Keeps what the program gives, whatever calls that have begun come to.
    pub(super) fn put(&self, key: K, value: V, lasts: Lasts) -> bool {
        let config = self.config.load();
        let entry = self.entry(&key, value, lasts, &config);
        let mut stripe = self.stripes.of(&key);
        *stripe += 1;
        let kept = entry.is_some();
        match entry {
            Some(entry) => self.store.insert(key, entry, &config),
            None => self.store.remove(&key),
        }
        kept
    }

    pub(super) fn remove<Q>(&self, key: &Q)
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let mut stripe = self.stripes.of(key);
        *stripe += 1;
        self.store.remove(key);
    }

    pub(super) fn clear(&self) {
        let changing = self.lock();
        let mut stripes = self.stripes.all();
        stripes.iter_mut().for_each(|stripe| **stripe += 1);
        self.store.clear(&self.config.load());
        drop(stripes);
        drop(changing);
    }

    pub(super) fn update(
        &self,
        change: impl FnOnce(&Config) -> Config,
    ) -> Result<(), portcullis_core::ConfigError> {
        let changing = self.lock();
        let before = self.config.load();
        let after = change(&before);
        after.check()?;
        let mode = number(after.mode);
        let bounds = |config: &Config| (config.max_entries, config.max_weight);
        let moves = bounds(&before) != bounds(&after);
        // Held until the settings are in place, so that nothing is kept by those before.
        let stripes = moves.then(|| self.stripes.all());
        if moves {
            self.store.resize(&after);
        }
        let replaced = self.config.update(|_| Ok::<_, portcullis_core::ConfigError>(after));
        self.mode.store(mode, Relaxed);
        drop(stripes);
        drop(changing);
        self.emitter.config_changed();
        replaced
    }

    pub(super) fn status(&self) -> CacheStatus {
        let get = |count| self.counts.get(count);
        let config = self.config.load();
        let (entries, weight) = self.store.size();
        CacheStatus {
            hits: get(Count::Hit),
            misses: get(Count::Miss),
            stale: get(Count::Stale),
            coalesced: get(Count::Coalesced),
            shadowed: get(Count::Shadowed),
            refreshes: get(Count::Refresh),
            refreshes_failed: get(Count::RefreshFailed),
            refreshes_timed_out: get(Count::RefreshTimedOut),
            refreshes_denied: get(Count::RefreshDenied),
            entries,
            weight: config.max_weight.map(|_| weight),
            evicted: self.store.gone().for_room.load(Relaxed),
            expired: self.store.gone().by_time.load(Relaxed),
            mode: config.mode,
        }
    }

    /// A value as it is kept, if it is.
    fn entry(&self, key: &K, value: V, lasts: Lasts, config: &Config) -> Option<Entry<V>> {
        let windows = self.windows(key, &value, lasts, config)?;
        // Also where there is no largest weight yet: one that is set later holds for what is kept by then.
        let weight = self.single.weigher.as_ref().map_or(0, |weigher| weigher(key, &value));
        let life = Lifetime::new(clock::now(), windows.jittered(config.jitter, self.dice.draw()));
        Some(Entry { value, life, age: lasts.age, weight })
    }

    /// How long a value is kept, if it is.
    fn windows(&self, key: &K, value: &V, lasts: Lasts, config: &Config) -> Option<Windows> {
        let of_key = || self.single.lasting.as_ref().and_then(|lasting| lasting(key, value));
        let windows = match config.negative_ttl {
            Some(ttl) if lasts.negative => {
                Windows { ttl: lasts.ttl.unwrap_or(ttl).min(LONGEST), ..Windows::default() }
            }
            None if lasts.negative => return None,
            _ => Windows {
                ttl: lasts.ttl.or_else(of_key).unwrap_or(config.ttl).min(LONGEST),
                while_revalidate: lasts
                    .while_revalidate
                    .unwrap_or(config.stale_while_revalidate)
                    .min(LONGEST),
                if_error: lasts.if_error.unwrap_or(config.stale_if_error).min(LONGEST),
            },
        };
        (windows != Windows::default()).then_some(windows)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The mode as a number.
fn number(mode: Mode) -> u8 {
    match mode {
        Mode::Shadow => SHADOW,
        Mode::Disabled => DISABLED,
        Mode::EnforcePercent(percent) => percent.min(100),
        _ => 100,
    }
}

impl<K: Key, V: Value> Policy for Shared<K, V> {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&*self.config.load()).into())
    }

    fn measure(&self, into: &mut dyn Measures) {
        measure::measure(&self.status(), into);
    }

    fn snapshot(&self) -> Snapshot {
        measure::snapshot(self.name(), &self.status())
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Reset, Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.config.load().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }

    /// Throws everything away.
    fn reset(&self) {
        self.clear();
    }
}
