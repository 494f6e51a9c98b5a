//! What a policy needs to follow a file.

use std::sync::Arc;

use portcullis::{ConfigError, HealthMonitor, config, fallback::Failover, keyed::Key, monitor::CheckConfig};

use crate::{Error, Section, Settings};

/// A policy that can be given other settings while it runs; also one by key, and a check of a monitor, which is
/// `(monitor, name)` here.
pub trait Follow: Clone + Send + 'static + private::Sealed {
    /// Its settings in a file.
    type Section: Section + PartialEq + Send;

    /// Its name.
    fn name(&self) -> String;

    /// The configuration that it has.
    fn current(&self) -> Arc<<Self::Section as Section>::Config>;

    /// The configuration that these settings make of the one it has.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    fn changed(&self, section: &Self::Section) -> Result<<Self::Section as Section>::Config, ConfigError>;

    /// Gives it another configuration.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    fn give(&self, config: <Self::Section as Section>::Config) -> Result<(), ConfigError>;
}

mod private {
    pub trait Sealed {}
}

/// A policy that follows, of any kind.
pub(super) trait Bound: Send {
    /// How it becomes what the settings say; `None` if it is so already.
    fn prepare(&mut self, settings: &Settings) -> Result<Option<Box<dyn Change>>, Error>;

    /// It has become what was prepared last.
    fn taken(&mut self);
}

/// A change that was looked at, and can be made.
pub(super) trait Change {
    /// The policy.
    fn policy(&self) -> &str;

    /// Makes it.
    fn apply(&mut self) -> Result<(), Error>;

    /// Takes it back.
    fn revert(&mut self);
}

pub(super) struct Follower<P: Follow> {
    policy: P,
    has: Option<P::Section>,
    prepared: Option<P::Section>,
}

impl<P: Follow> Follower<P> {
    pub(super) fn new(policy: P) -> Self {
        Self { policy, has: None, prepared: None }
    }
}

impl<P: Follow> Follower<P> {
    /// What makes it as the section says. That it is so already, as what was built from the same file is, is no change.
    fn change(&self, section: &P::Section, policy: String) -> Result<Option<Box<dyn Change>>, Error> {
        let (new, old) = (self.policy.changed(section), self.policy.current());
        let new = new.map_err(|error| Error::message(error.to_string()).of(policy.clone()))?;
        if new == *old {
            return Ok(None);
        }
        Ok(Some(Box::new(Given { to: self.policy.clone(), policy, new, old })))
    }
}

impl<P: Follow> Bound for Follower<P> {
    fn prepare(&mut self, settings: &Settings) -> Result<Option<Box<dyn Change>>, Error> {
        let name = self.policy.name();
        let section = settings.section::<P::Section>(&name)?;
        settings.get::<P::Section>(&name)?;
        let policy = format!("{}.{name}", P::Section::KIND);
        let change = if self.has.as_ref() == Some(&section) { None } else { self.change(&section, policy)? };
        self.prepared = Some(section);
        Ok(change)
    }

    fn taken(&mut self) {
        if let Some(section) = self.prepared.take() {
            self.has = Some(section);
        }
    }
}

struct Given<P: Follow> {
    to: P,
    policy: String,
    new: <P::Section as Section>::Config,
    old: Arc<<P::Section as Section>::Config>,
}

impl<P: Follow> Change for Given<P> {
    fn policy(&self) -> &str {
        &self.policy
    }

    fn apply(&mut self) -> Result<(), Error> {
        let given = self.to.give(self.new.clone());
        given.map_err(|error| Error::message(error.to_string()).of(self.policy.clone()))
    }

    fn revert(&mut self) {
        // What it had, it can have.
        let _ = self.to.give((*self.old).clone());
    }
}

/// Policies, their settings, and what makes a configuration of these and of the one that there is.
macro_rules! follow {
    ($([$($generics:tt)*] $Policy:ty: $Section:ty, |$section:ident, $current:ident| $changed:expr;)*) => {$(
        impl<$($generics)*> private::Sealed for $Policy {}

        impl<$($generics)*> Follow for $Policy {
            type Section = $Section;

            fn name(&self) -> String {
                <$Policy>::name(self).to_string()
            }

            fn current(&self) -> Arc<<$Section as Section>::Config> {
                <$Policy>::config(self).into()
            }

            fn changed(&self, $section: &$Section) -> Result<<$Section as Section>::Config, ConfigError> {
                let $current = &<$Policy>::config(self);
                $changed
            }

            fn give(&self, config: <$Section as Section>::Config) -> Result<(), ConfigError> {
                <$Policy>::reconfigure(self, config)
            }
        }
    )*};
}

follow! {
    [] portcullis::Breaker: config::Breaker, |section, current| section.reload(current);
    [K: Key] portcullis::KeyedBreaker<K>: config::Breaker, |section, current| section.reload(current);
    [] portcullis::RetryPolicy: config::Retry, |section, current| section.reload(current);
    [K: Key] portcullis::KeyedRetry<K>: config::Retry, |section, current| section.reload(current);
    [] portcullis::RetryBudget: config::Budget, |section, _current| section.build();
    [] portcullis::Hedge: config::Hedge, |section, current| section.reload(current);
    [K: Key] portcullis::KeyedHedge<K>: config::Hedge, |section, current| section.reload(current);
    [] portcullis::Bulkhead: config::Bulkhead, |section, current| section.reload(current);
    [K: Key] portcullis::KeyedBulkhead<K>: config::KeyedBulkhead, |section, current| section.reload(current);
    [] portcullis::RateLimit: config::RateLimit, |section, current| section.reload(current);
    [K: Key] portcullis::KeyedRateLimit<K>: config::RateLimit, |section, current| section.reload(current);
    [] portcullis::AdaptiveLimit: config::AdaptiveLimit, |section, current| section.reload(current);
    [K: Key] portcullis::KeyedAdaptiveLimit<K>: config::AdaptiveLimit, |section, current| section.reload(current);
    [] portcullis::Throttle: config::Throttle, |section, current| section.reload(current);
    [K: Key] portcullis::KeyedThrottle<K>: config::Throttle, |section, current| section.reload(current);
    [] portcullis::LoadShed: config::LoadShed, |section, current| section.reload(current);
    [] portcullis::ThreadPool: config::ThreadPool, |section, current| section.reload(current);
    [] portcullis::Outliers: config::Outlier, |section, current| section.reload(current);
    [] portcullis::Timeout: config::Timeout, |section, _current| section.build();
    [] portcullis::Fallback: config::Fallback, |section, current| section.reload(current);
    [] portcullis::Reconnect: config::Reconnect, |section, current| section.reload(current);
    [] portcullis::Coalesce: config::Coalesce, |section, _current| section.build();
    [] portcullis::Chaos: config::Chaos, |section, current| section.reload(current);
    [] portcullis::Drain: config::Drain, |section, current| section.reload(current);
    [] portcullis::Observer: config::Observer, |section, current| section.reload(current);
    [] portcullis::Probe: config::Probe, |section, current| section.reload(current);
}

#[cfg(feature = "cache")]
follow! {
    [K: portcullis::cache::Key, V: portcullis::cache::Value] portcullis::Cache<K, V>: config::Cache,
        |section, current| section.reload(current);
}

/// A check of a monitor, by its name. A check that is removed takes no more settings, which is no error.
impl private::Sealed for (HealthMonitor, String) {}

impl Follow for (HealthMonitor, String) {
    type Section = config::HealthCheck;

    fn name(&self) -> String {
        self.1.clone()
    }

    fn current(&self) -> Arc<CheckConfig> {
        self.0.config(&self.1).unwrap_or_default().into()
    }

    fn changed(&self, section: &config::HealthCheck) -> Result<CheckConfig, ConfigError> {
        section.build()
    }

    fn give(&self, config: CheckConfig) -> Result<(), ConfigError> {
        self.0.reconfigure(&self.1, config).map(|_| ())
    }
}

impl<S, R, P> private::Sealed for Failover<S, R, P> {}

/// What a failover says is the same as a fallback.
impl<S, R, P> Follow for Failover<S, R, P>
where
    Self: Clone + Send + 'static,
{
    type Section = config::Fallback;

    fn name(&self) -> String {
        Failover::name(self).to_string()
    }

    fn current(&self) -> Arc<portcullis::fallback::Config> {
        self.config()
    }

    fn changed(&self, section: &config::Fallback) -> Result<portcullis::fallback::Config, ConfigError> {
        section.reload(&self.config())
    }

    fn give(&self, config: portcullis::fallback::Config) -> Result<(), ConfigError> {
        self.reconfigure(config)
    }
}
