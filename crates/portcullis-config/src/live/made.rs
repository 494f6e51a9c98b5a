//! Pipelines of policies that follow their file.

use std::any::Any;

use portcullis::{
    AdaptiveLimit, Breaker, Bulkhead, Chaos, ConfigError, Hedge, LoadShed, Observer, Pipeline, RateLimit,
    Registry, RetryPolicy, Throttle, Timeout, config,
};
use portcullis_core::pipeline::Side;

use super::Live;
use crate::{ClientBuilder, Error, Follow, Parts, Section, ServerBuilder, Settings};

impl Live {
    /// Policies that it makes join this registry (default: the global one).
    #[must_use]
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// A client's pipeline, whose policies are made by the settings and follow them. One that several pipelines name is
    /// one policy. A file may change what its policies do, and switch them off by their modes, but not of which ones a
    /// pipeline that runs is made.
    ///
    /// What a file cannot say, a layer does, in the place of the policy:
    ///
    /// ```
    /// use portcullis::{RetryLayer, RetryPolicy};
    /// use portcullis_config::{Format, Live, Settings};
    ///
    /// let text = "[pipeline.orders]\nkind = \"client\"\nretry = \"orders\"\n[retry.orders]\nmax_attempts = 2\n";
    /// let mut live = Live::new(Settings::builder().text("shop.toml", Format::Toml, text))?;
    /// let pipeline = live.client("orders")?;
    /// let retry = live.policy::<RetryPolicy>("orders").expect("the pipeline has it");
    /// let pipeline = pipeline.retry(RetryLayer::new(retry).idempotent()).build()?;
    /// assert_eq!(pipeline.explain().amplification.one_call, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Settings::pipeline`], and when it is a server's.
    pub fn client(&mut self, name: &str) -> Result<ClientBuilder, Error> {
        let parts = self.parts(name, Side::Client)?;
        let retry = self.part(&parts.retry, retry)?;
        let shared = retry.as_ref().map(|retry| retry.budget().withdraw_only());
        let hedge = self.part(&parts.hedge, |from| {
            let hedge =
                Hedge::builder(from.name.to_owned()).registry(from.registry).settings(&from.section()?)?;
            let hedge = shared.iter().fold(hedge, |hedge, budget| hedge.budget(budget));
            hedge.build().map_err(From::from)
        })?;
        let pipeline = Pipeline::client(name.to_owned())
            .registry(&self.registry)
            .observe(self.part(&parts.observe, observer)?)
            .deadline(self.part(&parts.deadline, timeout)?)
            .retry(retry)
            .hedge(hedge)
            .throttle(self.part(&parts.throttle, |from| {
                Ok(Throttle::builder(from.name.to_owned())
                    .config(from.get::<config::Throttle>()?)
                    .registry(from.registry)
                    .build()?)
            })?)
            .rate_limit(self.part(&parts.rate_limit, rate_limit)?)
            .breaker(self.part(&parts.breaker, |from| {
                Ok(Breaker::builder(from.name.to_owned())
                    .config(from.get::<config::Breaker>()?)
                    .registry(from.registry)
                    .build()?)
            })?)
            .bulkhead(self.part(&parts.bulkhead, bulkhead)?)
            .adaptive_limit(self.part(&parts.adaptive_limit, adaptive_limit)?)
            .attempt_timeout(self.part(&parts.attempt_timeout, timeout)?)
            .chaos(self.part(&parts.chaos, chaos)?);
        self.pipelines.push((name.to_owned(), parts));
        Ok(pipeline)
    }

    /// A server's pipeline, as [`client`](Self::client) is one of a client. Drains, health and caches are for the program
    /// to add: a drain is begun by it, and what is cached or coalesced has types and keys that no file can name.
    ///
    /// # Errors
    ///
    /// As [`Settings::pipeline`], and when it is a client's.
    pub fn server(&mut self, name: &str) -> Result<ServerBuilder, Error> {
        let parts = self.parts(name, Side::Server)?;
        let pipeline = Pipeline::server(name.to_owned())
            .registry(&self.registry)
            .observe(self.part(&parts.observe, observer)?)
            .deadline(self.part(&parts.deadline, timeout)?)
            .load_shed(self.part(&parts.load_shed, |from| {
                Ok(LoadShed::builder(from.name.to_owned())
                    .config(from.get::<config::LoadShed>()?)
                    .registry(from.registry)
                    .build()?)
            })?)
            .rate_limit(self.part(&parts.rate_limit, rate_limit)?)
            .bulkhead(self.part(&parts.bulkhead, bulkhead)?)
            .adaptive_limit(self.part(&parts.adaptive_limit, adaptive_limit)?)
            .chaos(self.part(&parts.chaos, chaos)?);
        self.pipelines.push((name.to_owned(), parts));
        Ok(pipeline)
    }

    /// The policy of this name that was made for a pipeline.
    pub fn policy<P: Follow>(&self, name: &str) -> Option<P> {
        let made = self.made.iter().filter_map(|policy| (&**policy as &dyn Any).downcast_ref::<P>());
        made.into_iter().find(|policy| policy.name() == name).cloned()
    }

    fn parts(&self, name: &str, side: Side) -> Result<Parts, Error> {
        let parts = self.settings.pipeline(name)?;
        if parts.side() == side {
            return Ok(parts);
        }
        let message = format!("is for a {}, and not for a {side}", parts.side());
        Err(Error::message(message).of(format!("{}.{name}", Parts::KIND)))
    }

    /// A policy that follows the settings: one that was made before, or a new one.
    fn part<P: Follow>(
        &mut self,
        name: &Option<String>,
        make: impl FnOnce(Source<'_>) -> Result<P, Wrong>,
    ) -> Result<Option<P>, Error> {
        let Some(name) = name else { return Ok(None) };
        if let Some(policy) = self.policy::<P>(name) {
            return Ok(Some(policy));
        }
        let from = Source { settings: &self.settings, name, registry: &self.registry };
        let policy = make(from).map_err(|wrong| match wrong {
            Wrong::Settings(error) => error,
            Wrong::Config(error) => {
                Error::message(error.to_string()).of(format!("{}.{name}", P::Section::KIND))
            }
        })?;
        self.follow(&policy)?;
        self.made.push(Box::new(policy.clone()));
        Ok(Some(policy))
    }
}

/// What a policy is made from.
struct Source<'a> {
    settings: &'a Settings,
    name: &'a str,
    registry: &'a Registry,
}

enum Wrong {
    Settings(Error),
    Config(ConfigError),
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Settings(error)
    }
}

impl From<ConfigError> for Wrong {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl Source<'_> {
    fn get<S: Section>(&self) -> Result<S::Config, Error> {
        self.settings.get::<S>(self.name)
    }

    fn section<S: Section>(&self) -> Result<S, Error> {
        self.settings.section::<S>(self.name)
    }
}

fn retry(from: Source<'_>) -> Result<RetryPolicy, Wrong> {
    let settings = from.section::<config::Retry>()?;
    Ok(RetryPolicy::builder(from.name.to_owned()).registry(from.registry).settings(&settings)?.build()?)
}

fn observer(from: Source<'_>) -> Result<Observer, Wrong> {
    let config = from.get::<config::Observer>()?;
    Ok(Observer::builder(from.name.to_owned()).config(config).registry(from.registry).build()?)
}

fn timeout(from: Source<'_>) -> Result<Timeout, Wrong> {
    let config = from.get::<config::Timeout>()?;
    Ok(Timeout::builder(from.name.to_owned(), config).registry(from.registry).build()?)
}

fn rate_limit(from: Source<'_>) -> Result<RateLimit, Wrong> {
    let config = from.get::<config::RateLimit>()?;
    Ok(RateLimit::builder(from.name.to_owned()).config(config).registry(from.registry).build()?)
}

fn chaos(from: Source<'_>) -> Result<Chaos, Wrong> {
    let config = from.get::<config::Chaos>()?;
    Ok(Chaos::builder(from.name.to_owned()).config(config).registry(from.registry).build()?)
}

fn bulkhead(from: Source<'_>) -> Result<Bulkhead, Wrong> {
    let config = from.get::<config::Bulkhead>()?;
    Ok(Bulkhead::builder(from.name.to_owned()).config(config).registry(from.registry).build()?)
}

fn adaptive_limit(from: Source<'_>) -> Result<AdaptiveLimit, Wrong> {
    let config = from.get::<config::AdaptiveLimit>()?;
    Ok(AdaptiveLimit::builder(from.name.to_owned()).config(config).registry(from.registry).build()?)
}
