//! What a policy writes down, and reads again.

use std::{collections::BTreeMap, time::Duration};

/// What of a policy outlives the process: values by name, in [`Policy::save`](crate::registry::Policy::save).
///
/// ```
/// use portcullis::restart::Saved;
/// use std::time::Duration;
///
/// let mut saved = Saved::default();
/// saved.time("open_for", Duration::from_secs(5));
/// saved.part("keys", "host-a").count("in_a_row", 3u32);
///
/// let kept = saved.after(Duration::from_secs(2));
/// assert_eq!(kept.left("open_for"), Some(Duration::from_secs(3)));
/// let (key, of_key) = kept.parts("keys").next().expect("there is one");
/// assert_eq!((key, of_key.count("in_a_row")), ("host-a", Some(3)));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "restart", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Saved {
    #[cfg_attr(feature = "restart", serde(skip_serializing_if = "BTreeMap::is_empty"))]
    values: BTreeMap<String, Item>,
    /// By their name, and by what they are of.
    #[cfg_attr(feature = "restart", serde(skip_serializing_if = "BTreeMap::is_empty"))]
    parts: BTreeMap<String, BTreeMap<String, Self>>,
}

#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "restart", derive(serde::Serialize, serde::Deserialize), serde(untagged))]
enum Item {
    Count(u64),
    Ratio(f64),
    Word(String),
    Pairs(Vec<(u64, u64)>),
}

impl Saved {
    /// Whether there is nothing to write down.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.parts.values().flat_map(BTreeMap::values).all(Self::is_empty)
    }

    /// A count.
    pub fn count(&mut self, name: &str, count: impl Into<u64>) {
        self.put(name, Item::Count(count.into()));
    }

    /// Another number. One that is not finite is left out.
    pub fn ratio(&mut self, name: &str, ratio: f64) {
        if ratio.is_finite() {
            self.put(name, Item::Ratio(ratio));
        }
    }

    /// A word, or another text.
    pub fn word(&mut self, name: &str, word: &str) {
        self.put(name, Item::Word(word.to_owned()));
    }

    /// A time, to the nanosecond.
    pub fn time(&mut self, name: &str, time: Duration) {
        self.put(name, Item::Count(nanos(time)));
    }

    /// Counts by time.
    pub fn pairs(&mut self, name: &str, pairs: impl IntoIterator<Item = (Duration, u64)>) {
        let pairs = pairs.into_iter().map(|(time, count)| (nanos(time), count)).collect();
        self.put(name, Item::Pairs(pairs));
    }

    /// The part of one of many, such as a key's.
    pub fn part(&mut self, name: &str, of: &str) -> &mut Self {
        self.parts.entry(name.to_owned()).or_default().entry(of.to_owned()).or_default()
    }

    /// The same to be read, this long after it was written.
    pub fn after(&self, age: Duration) -> Kept<'_> {
        Kept { saved: self, age }
    }

    fn put(&mut self, name: &str, item: Item) {
        self.values.insert(name.to_owned(), item);
    }
}

/// What a policy wrote down, some time ago, for [`Policy::resume`](crate::registry::Policy::resume). What is not
/// there, or is something else, is as if it had not been written: `None`.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    saved: &'a Saved,
    age: Duration,
}

impl<'a> Kept<'a> {
    /// How long ago it was written.
    pub fn age(&self) -> Duration {
        self.age
    }

    /// Itself, if it was written no longer ago than that.
    pub fn within(self, longest: Duration) -> Option<Self> {
        (self.age <= longest).then_some(self)
    }

    /// A count.
    pub fn count(&self, name: &str) -> Option<u64> {
        match self.saved.values.get(name)? {
            Item::Count(count) => Some(*count),
            _ => None,
        }
    }

    /// A count of 32 bits; the greatest of these for a greater one.
    pub fn narrow(&self, name: &str) -> Option<u32> {
        self.count(name).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Another number.
    pub fn ratio(&self, name: &str) -> Option<f64> {
        match self.saved.values.get(name)? {
            Item::Ratio(ratio) => Some(*ratio),
            Item::Count(count) => Some(*count as f64),
            _ => None,
        }
    }

    /// A word, or another text.
    pub fn word(&self, name: &str) -> Option<&'a str> {
        match self.saved.values.get(name)? {
            Item::Word(word) => Some(word),
            _ => None,
        }
    }

    /// A time, as it was.
    pub fn time(&self, name: &str) -> Option<Duration> {
        self.count(name).map(Duration::from_nanos)
    }

    /// What is left of a time by now; zero, when it is over.
    pub fn left(&self, name: &str) -> Option<Duration> {
        self.time(name).map(|time| time.saturating_sub(self.age))
    }

    /// Counts by time.
    pub fn pairs(&self, name: &str) -> impl Iterator<Item = (Duration, u64)> + 'a {
        let pairs = match self.saved.values.get(name) {
            Some(Item::Pairs(pairs)) => &pairs[..],
            _ => &[],
        };
        pairs.iter().map(|(time, count)| (Duration::from_nanos(*time), *count))
    }

    /// The parts of many, by what they are of.
    pub fn parts(&self, name: &str) -> impl Iterator<Item = (&'a str, Kept<'a>)> + use<'a> {
        let (age, parts) = (self.age, self.saved.parts.get(name));
        parts.into_iter().flatten().map(move |(of, saved)| (of.as_str(), Kept { saved, age }))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
