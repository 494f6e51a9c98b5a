//! Pipelines: which policies of the file they are made of.

use portcullis::{
    AdaptiveLimit, Boxed, Breaker, Bulkhead, Chaos, ConfigError, Hedge, LoadShed, Observer, RateLimit,
    RetryPolicy, Throttle, Timeout, config,
    pipeline::{Absent, Attempts, Client, PipelineBuilder, Server, Slots},
};
use portcullis_core::pipeline::{Facts, Part, Place, Repeats, Side, What, check};
use serde::{Deserialize, Deserializer};

use crate::{Error, Section, Settings, section::private, settings::full};

/// A client's pipeline as its file has it. What it has not is [there and does nothing](portcullis::pipeline::Idle).
pub type ClientBuilder = PipelineBuilder<
    Client,
    Boxed,
    Slots<
        Absent,
        Option<Observer>,
        Absent,
        Absent,
        Absent,
        Option<Timeout>,
        Absent,
        Absent,
        Option<RetryPolicy>,
        Option<Hedge>,
        Attempts,
        Option<Throttle>,
        Option<RateLimit>,
        Option<Breaker>,
        Option<Bulkhead>,
        Option<AdaptiveLimit>,
        Absent,
        Absent,
        Option<Timeout>,
        Option<Chaos>,
    >,
>;

/// A server's pipeline as its file has it. What it has not is [there and does nothing](portcullis::pipeline::Idle).
pub type ServerBuilder = PipelineBuilder<
    Server,
    Boxed,
    Slots<
        Absent,
        Option<Observer>,
        Absent,
        Absent,
        Absent,
        Option<Timeout>,
        Absent,
        Option<LoadShed>,
        Absent,
        Absent,
        Absent,
        Absent,
        Option<RateLimit>,
        Absent,
        Option<Bulkhead>,
        Option<AdaptiveLimit>,
        Absent,
        Absent,
        Absent,
        Option<Chaos>,
    >,
>;

/// What a file says of a pipeline: the names of its policies, each in the table of its kind.
///
/// | field | is |
/// |---|---|
/// | `kind` | `"client"` or `"server"` |
/// | `observe` | the name of an `observer`, which sees the attempts, too |
/// | `deadline`, `attempt_timeout` | the name of a `timeout` |
/// | `retry`, `hedge`, `throttle`, `rate_limit`, `breaker`, `bulkhead`, `adaptive_limit`, `load_shed`, `chaos` | the name of a policy of that kind |
///
/// ```
/// use portcullis_config::{Format, Live, Settings};
///
/// let text = r#"
///     [pipeline.inventory]
///     kind = "client"
///     deadline = "call"
///     attempt_timeout = "attempt"
///     breaker = "inventory"
///
///     [timeout.call]
///     limit = "1s"
///     [timeout.attempt]
///     limit = "300ms"
///     [breaker.inventory]
/// "#;
/// let mut live = Live::new(Settings::builder().text("shop.toml", Format::Toml, text))?;
/// let pipeline = live.client("inventory")?.http_client().build()?;
/// assert_eq!(pipeline.explain().order.len(), 3);
///
/// // What cannot be right is said where it stands.
/// let wrong = text.replace("300ms", "2s");
/// let settings = Settings::builder().text("shop.toml", Format::Toml, wrong).load()?;
/// assert_eq!(
///     settings.pipeline("inventory").unwrap_err().to_string(),
///     "shop.toml:5:23: pipeline.inventory: attempt_timeout 'attempt' does not go with deadline 'call': \
///      its limit of 2s is longer than the 1s of the whole call"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    kind: Kind,
    #[serde(default, deserialize_with = "given")]
    pub(crate) observe: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(crate) deadline: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(crate) load_shed: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(crate) retry: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(crate) hedge: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(crate) throttle: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(crate) rate_limit: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(crate) breaker: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(crate) bulkhead: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(crate) adaptive_limit: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(crate) attempt_timeout: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(crate) chaos: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
enum Kind {
    Client,
    Server,
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        match &*word {
            "client" => Ok(Self::Client),
            "server" => Ok(Self::Server),
            _ => Err(format!("kind is {word:?}: allowed is \"client\" or \"server\"")),
        }
    }
}

/// A name that is given is one.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

impl private::Sealed for Parts {}

impl Section for Parts {
    const KIND: &'static str = "pipeline";

    type Config = Self;

    fn build(&self) -> Result<Self, ConfigError> {
        Ok(self.clone())
    }

    fn check_in(&self, settings: &Settings, name: &str) -> Result<(), Error> {
        let there = Named { settings, pipeline: name };
        let found = [
            there.part::<config::Observer>(Place::Observe, &self.observe, |config| config.into())?,
            there.part::<config::Timeout>(Place::Deadline, &self.deadline, |config| config.into())?,
            there.part::<config::LoadShed>(Place::LoadShed, &self.load_shed, |config| config.into())?,
            there.part::<config::Retry>(Place::Retry, &self.retry, |_| unknown())?,
            there.part::<config::Hedge>(Place::Hedge, &self.hedge, |_| unknown())?,
            there.part::<config::Throttle>(Place::Throttle, &self.throttle, |config| config.into())?,
            there.part::<config::RateLimit>(Place::RateLimit, &self.rate_limit, |config| config.into())?,
            there.part::<config::Breaker>(Place::Breaker, &self.breaker, |config| config.into())?,
            there.part::<config::Bulkhead>(Place::Bulkhead, &self.bulkhead, |config| config.into())?,
            there.part::<config::AdaptiveLimit>(Place::AdaptiveLimit, &self.adaptive_limit, |config| {
                config.into()
            })?,
            there.part::<config::Timeout>(Place::AttemptTimeout, &self.attempt_timeout, |config| {
                config.into()
            })?,
            there.part::<config::Chaos>(Place::Chaos, &self.chaos, |config| config.into())?,
        ];
        let parts: Vec<_> = found.into_iter().flatten().collect();
        check(self.side(), &parts).map_err(|wrong| {
            let field = wrong.first().map_or("kind", |part| part.place.as_str());
            there.error(field, &wrong.to_string())
        })
    }
}

impl Parts {
    /// The fields that are names of policies.
    #[cfg(any(feature = "schema", test))]
    pub(crate) const NAMES: [&str; 12] = [
        "observe",
        "deadline",
        "load_shed",
        "retry",
        "hedge",
        "throttle",
        "rate_limit",
        "breaker",
        "bulkhead",
        "adaptive_limit",
        "attempt_timeout",
        "chaos",
    ];

    /// Its side.
    pub fn side(&self) -> Side {
        match self.kind {
            Kind::Client => Side::Client,
            Kind::Server => Side::Server,
        }
    }

    /// What is wrong, when the file says by now that the pipeline of this name is made of others.
    pub(crate) fn still(&self, settings: &Settings, name: &str) -> Option<Error> {
        let there = Named { settings, pipeline: name };
        match settings.section::<Self>(name) {
            Ok(parts) if parts == *self => None,
            Ok(_) => Some(
                there.error("", "is made of other policies than the one that runs, which stays as it is"),
            ),
            Err(error) => Some(error),
        }
    }
}

/// What retries and hedges have to do with each other depends on how they are made.
fn unknown() -> Facts {
    Facts::of(What::Other(String::new()))
}

/// The names that a pipeline's table has.
struct Named<'a> {
    settings: &'a Settings,
    pipeline: &'a str,
}

impl Named<'_> {
    fn part<S: Section>(
        &self,
        place: Place,
        name: &Option<String>,
        facts: impl FnOnce(&S::Config) -> Facts,
    ) -> Result<Option<Part>, Error> {
        let Some(name) = name else { return Ok(None) };
        if !self.settings.names::<S>().any(|known| known == name) {
            return Err(self.error(place.as_str(), &format!("no {} is called `{name}`", S::KIND)));
        }
        let facts = facts(&self.settings.get::<S>(name)?);
        Ok(Some(Part { place, name: name.as_str().into(), facts, repeats: Repeats::FromRequest }))
    }

    /// That this is wrong with a field.
    fn error(&self, field: &str, message: &str) -> Error {
        let place =
            self.settings.node::<Parts>(self.pipeline).map(|node| node.find([field].into_iter()).clone());
        let error = match place {
            Ok(place) => Error::at(place, message),
            Err(error) => return error,
        };
        error.of(full::<Parts>(self.pipeline))
    }
}

impl Settings {
    /// What a pipeline is made of. The policies that it names are there, and go together.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and when it names a policy that there is not, or policies that do not go together.
    pub fn pipeline(&self, name: &str) -> Result<Parts, Error> {
        self.get::<Parts>(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    #[test]
    fn every_name_is_a_field() {
        for field in Parts::NAMES {
            let text = format!("[pipeline.x]\nkind = \"client\"\n{field} = \"y\"\n");
            let settings = Settings::builder().text("x.toml", Format::Toml, text).load().unwrap();
            assert!(settings.section::<Parts>("x").is_ok(), "{field}");
        }
    }
}
