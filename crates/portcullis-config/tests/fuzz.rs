//! Files that nobody would write, and files that somebody could: whatever stands in them is read or refused, given to
//! policies that run or kept from them, and nothing panics.
//!
//! Run as tests, inputs are drawn by chance for two seconds each. For longer, say five minutes:
//!
//! ```text
//! BOLERO_RANDOM_TEST_TIME_MS=300000 cargo test --release -p portcullis-config --all-features --test fuzz
//! ```
//!
//! and guided by what of the code is reached, with libFuzzer, which keeps what it finds in `tests/__fuzz__` for later runs:
//!
//! ```text
//! cargo install cargo-bolero && cargo bolero test mutated -p portcullis-config --all-features --sanitizer NONE
//! ```
#![expect(clippy::unwrap_used, reason = "a policy that cannot be built fails the test")]

use std::{ffi::OsString, fmt::Display, panic::AssertUnwindSafe, time::Duration};

use portcullis::{
    AdaptiveLimit, Breaker, Bulkhead, Chaos, Coalesce, Drain, Fallback, Hedge, KeyedBulkhead, LoadShed,
    Outliers, Probe, RateLimit, Reconnect, Registry, RetryPolicy, Throttle, Timeout,
};
use portcullis_config::{Builder, Error, Follow, Format, Live, Settings};

/// How long inputs are drawn where nobody says for how long.
const LONG: Duration = Duration::from_secs(2);

/// Valid files, of which the others are made.
const FILES: [(Format, &str); 3] = [
    (Format::Toml, include_str!("fuzz/shop.toml")),
    (Format::Yaml, include_str!("fuzz/shop.yaml")),
    (Format::Json, include_str!("fuzz/shop.json")),
];

/// What stands in files and means something, or is just not what was meant.
const WORDS: [&str; 48] = [
    "base",
    "defaults",
    "environments",
    "mode",
    "preset",
    "enforce_percent",
    "\"off\"",
    "kind",
    "a",
    "\"a\"",
    "true",
    "null",
    "~",
    "nan",
    "-inf",
    ".inf",
    "1e309",
    "-0",
    "0",
    "1",
    "101",
    "255",
    "256",
    "65536",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "0x7f",
    "0o17",
    "\"0s\"",
    "\"1ns\"",
    "\"584942417355y\"",
    "\"-1s\"",
    "\"1h 2m\"",
    "1979-05-27T07:32:00Z",
    "{",
    "}",
    "[",
    "]",
    "[[breaker]]",
    "&a",
    "*a",
    "<<: *a",
    "!!binary",
    "\u{feff}",
    "\u{0}",
];

/// Lets a policy follow.
type Following = Box<dyn Fn(&mut Live) -> Result<(), Error>>;

/// Policies that follow what is read; they live as long as the test, and have seen many settings.
struct Policies {
    registry: Registry,
    breaker: Breaker,
    retry: RetryPolicy,
    bulkhead: Bulkhead,
    rate: RateLimit,
    shed: LoadShed,
    adaptive: AdaptiveLimit,
    throttle: Throttle,
    others: Vec<Following>,
}

fn follows<P: Follow>(policy: P) -> Following {
    Box::new(move |live| live.follow(&policy))
}

impl Policies {
    fn new() -> Self {
        let registry = Registry::new();
        let to = &registry;
        let others = vec![
            follows(Hedge::builder("a").registry(to).build().unwrap()),
            follows(KeyedBulkhead::builder("a").registry(to).build().unwrap()),
            follows(Timeout::builder("a", Duration::from_secs(1)).registry(to).build().unwrap()),
            follows(Fallback::builder("a").registry(to).build().unwrap()),
            follows(Reconnect::builder("a").registry(to).build().unwrap()),
            follows(Coalesce::builder("a").registry(to).build().unwrap()),
            follows(Chaos::builder("a").registry(to).build().unwrap()),
            follows(Drain::builder("a").registry(to).build().unwrap()),
            follows(Outliers::builder("a").registry(to).build().unwrap()),
            follows(Probe::builder("a").registry(to).build().unwrap()),
        ];
        Self {
            breaker: Breaker::builder("a").registry(to).build().unwrap(),
            retry: RetryPolicy::builder("a").registry(to).build().unwrap(),
            bulkhead: Bulkhead::builder("a").registry(to).build().unwrap(),
            rate: RateLimit::builder("a").registry(to).build().unwrap(),
            shed: LoadShed::builder("a").registry(to).build().unwrap(),
            adaptive: AdaptiveLimit::builder("a").registry(to).build().unwrap(),
            throttle: Throttle::builder("a").registry(to).build().unwrap(),
            others,
            registry,
        }
    }

    /// Gives them what was read, and lets a call through each.
    fn follow(&self, live: &mut Live) {
        say(live.follow(&self.breaker));
        say(live.follow(&self.retry));
        say(live.follow(&self.bulkhead));
        say(live.follow(&self.rate));
        say(live.follow(&self.shed));
        say(live.follow(&self.adaptive));
        say(live.follow(&self.throttle));
        self.others.iter().for_each(|follow| say(follow(live)));
        drop((self.breaker.try_admit(), self.bulkhead.try_admit(), self.rate.try_admit()));
        drop((self.shed.try_admit(), self.adaptive.try_admit(), self.throttle.try_admit()));
        assert!(self.registry.snapshot().len() >= 17);
    }
}

/// An error must be able to say itself.
fn say<T, E: Display>(result: Result<T, E>) {
    if let Err(error) = result {
        assert!(!error.to_string().is_empty());
    }
}

/// Reads it, checks it, and gives it to policies that run; whether it could be read.
fn try_out(builder: &Builder, policies: &Policies) -> bool {
    let settings = match builder.clone().load() {
        Ok(settings) => settings,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    for error in settings.check() {
        assert!(!error.to_string().is_empty());
    }
    let live = Live::new(builder.clone());
    assert!(live.is_ok(), "it was read before");
    let mut live = live.unwrap().registry(&policies.registry);
    policies.follow(&mut live);
    say(live.reload());
    say(live.client("a").map(drop));
    say(live.server("a").map(drop));
    true
}

fn text(format: Format, text: impl Into<String>) -> Builder {
    Settings::builder().text("shop", format, text)
}

/// What a fuzzer says, taken as choices.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    /// A number below `end`; 0 when there are no more choices.
    fn below(&mut self, end: usize) -> usize {
        let (number, rest) = match *self.0 {
            [high, low, ref rest @ ..] => (usize::from(high) << 8 | usize::from(low), rest),
            _ => (0, &[][..]),
        };
        self.0 = rest;
        number % end.max(1)
    }
}

/// A valid file, changed by what the choices say.
fn mutate(text: &str, choices: &mut Choices<'_>) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    while !choices.0.is_empty() && !lines.is_empty() {
        let (at, other) = (choices.below(lines.len()), choices.below(lines.len()));
        let word = WORDS[choices.below(WORDS.len())];
        match choices.below(7) {
            0 => drop(lines.remove(at)),
            1 => lines.swap(at, other),
            2 => lines.insert(at, lines[other].clone()),
            3 => lines.insert(at, word.to_owned()),
            // What follows the field's name.
            4 => {
                let line = &mut lines[at];
                let end = line.find(['=', ':']).map_or(0, |end| end + 1);
                line.truncate(end);
                line.push(' ');
                line.push_str(word);
            }
            5 => lines[at].insert_str(0, word),
            // Somewhere within, between two characters.
            _ => {
                let line = &mut lines[at];
                let cut =
                    (0..=other.min(line.len())).rev().find(|cut| line.is_char_boundary(*cut)).unwrap_or(0);
                line.insert_str(cut, word);
            }
        }
    }
    lines.join("\n")
}

/// The format is the first byte, the rest is the file.
#[test]
fn any_text() {
    // A panic ends the test, whatever state they are in.
    let policies = AssertUnwindSafe(Policies::new());
    bolero::check!().with_test_time(LONG).for_each(|bytes: &[u8]| {
        let Some((format, bytes)) = bytes.split_first() else { return };
        let (format, _) = FILES[usize::from(*format) % FILES.len()];
        try_out(&text(format, String::from_utf8_lossy(bytes)), &policies);
    });
}

/// What comes near a valid file goes further than what does not.
#[test]
fn mutated() {
    // A panic ends the test, whatever state they are in.
    let policies = AssertUnwindSafe(Policies::new());
    bolero::check!().with_test_time(LONG).with_max_len(128).for_each(|bytes: &[u8]| {
        let mut choices = Choices(bytes);
        let (format, valid) = FILES[choices.below(FILES.len())];
        let builder = match choices.below(3) {
            0 => Settings::builder().environment("production"),
            _ => Settings::builder(),
        };
        try_out(&builder.text("shop", format, mutate(valid, &mut choices)), &policies);
    });
}

/// Variables come from outside, too: their names, and their values.
#[test]
fn any_variables() {
    // A panic ends the test, whatever state they are in.
    let policies = AssertUnwindSafe(Policies::new());
    bolero::check!().with_test_time(LONG).with_max_len(256).for_each(|bytes: &[u8]| {
        let mut variables = Vec::new();
        for one in String::from_utf8_lossy(bytes).split('\n') {
            let (name, value) = one.split_once('=').unwrap_or((one, "1"));
            // Most would be of nobody's policies else.
            let fields = ["OPEN_FOR", "PERMITS", "MODE", "BASE", name];
            let field = fields[name.len() % fields.len()];
            variables.push((OsString::from(format!("SHOP__BREAKER__A__{field}")), OsString::from(value)));
            variables.push((OsString::from(format!("SHOP__{name}")), OsString::from(value)));
        }
        let (format, valid) = FILES[0];
        try_out(&text(format, valid).variables("SHOP", variables), &policies);
    });
}

#[test]
fn the_files_that_it_begins_with_are_valid() {
    let policies = Policies::new();
    for (format, valid) in FILES {
        let errors: Vec<_> =
            text(format, valid).load().unwrap().check().iter().map(Error::to_string).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert!(try_out(&text(format, valid), &policies));
    }
}
