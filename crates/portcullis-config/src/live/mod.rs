//! Policies that follow their file.

mod follow;
mod made;
#[cfg(feature = "watch")]
mod watch;

use std::{any::Any, fmt, sync::Arc};

pub use follow::Follow;
#[cfg(feature = "watch")]
pub use watch::Watch;

use portcullis::Registry;

use crate::{Builder, Error, Parts, Settings, error::once};
use follow::{Bound, Follower};

/// Gives policies that run what their file says, when that has changed: all of it, or nothing.
///
/// ```
/// use portcullis::{Bulkhead, Breaker};
/// use portcullis_config::{Live, Settings};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("shop.toml");
/// std::fs::write(&path, "[bulkhead.db]\nmax_in_flight = 10\n[breaker.db]\n")?;
///
/// let mut live = Live::new(Settings::builder().file(&path))?;
/// let bulkhead = Bulkhead::builder("db").config(live.settings().bulkhead("db")?).build()?;
/// let breaker = Breaker::builder("db").config(live.settings().breaker("db")?).build()?;
/// live.follow(&bulkhead)?;
/// live.follow(&breaker)?;
///
/// std::fs::write(&path, "[bulkhead.db]\nmax_in_flight = 20\n[breaker.db]\npermits = 0\n")?;
/// let errors = live.reload().unwrap_err();
/// assert!(errors.to_string().ends_with("4:11: breaker.db: breaker.permits is 0: allowed is 1 to 1000"));
/// assert_eq!(bulkhead.config().max_in_flight, 10, "whole or nothing");
///
/// std::fs::write(&path, "[bulkhead.db]\nmax_in_flight = 20\n[breaker.db]\n")?;
/// assert_eq!(live.reload()?, ["bulkhead.db"]);
/// assert_eq!(bulkhead.config().max_in_flight, 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What a policy has seen, who waits for it, and who listens to it, stays; each that changed tells
/// [`ConfigChanged`](portcullis::event::EventKind::ConfigChanged). Policies are held by it: they live at least as long.
pub struct Live {
    builder: Builder,
    settings: Arc<Settings>,
    policies: Vec<Box<dyn Bound>>,
    /// Handles of those that were made for pipelines.
    made: Vec<Box<dyn Any + Send>>,
    pipelines: Vec<(String, Parts)>,
    registry: Registry,
}

impl Live {
    /// Loads the settings.
    ///
    /// # Errors
    ///
    /// As [`Builder::load`].
    pub fn new(builder: Builder) -> Result<Self, Error> {
        let settings = Arc::new(builder.clone().load()?);
        let registry = Registry::global().clone();
        let (policies, made, pipelines) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { builder, settings, policies, made, pipelines, registry })
    }

    /// The settings as they were read last.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// From now on, the policy has what the settings say of one of its kind and name.
    ///
    /// # Errors
    ///
    /// When they say nothing of it, or something that is wrong; it does not follow them then.
    pub fn follow<P: Follow>(&mut self, policy: &P) -> Result<(), Error> {
        let mut follower = Follower::new(policy.clone());
        if let Some(mut change) = follower.prepare(&self.settings)? {
            change.apply()?;
        }
        follower.taken();
        self.policies.push(Box::new(follower));
        Ok(())
    }

    /// Reads the settings again, and gives each policy what is new for it. Returns those that changed, such as
    /// `breaker.inventory`.
    ///
    /// # Errors
    ///
    /// All that is wrong. Then nothing has changed, and the settings are those of before.
    pub fn reload(&mut self) -> Result<Vec<String>, Errors> {
        let settings = self.builder.clone().load()?;
        self.replace(settings)
    }

    /// Gives each policy what these settings say of it, whatever the files say: until they are [read](Self::reload) again.
    /// Returns those that changed. For settings that come by another way, such as from an operator's console.
    ///
    /// ```
    /// use portcullis::{Bulkhead, Registry};
    /// use portcullis_config::{Format, Live, Settings};
    ///
    /// let text = |most| format!("[bulkhead.db]\nmax_in_flight = {most}\n");
    /// let settings = |most| Settings::builder().text("by hand", Format::Toml, text(most));
    /// let mut live = Live::new(settings(10))?;
    /// let config = live.settings().bulkhead("db")?;
    /// let bulkhead = Bulkhead::builder("db").config(config).registry(&Registry::new()).build()?;
    /// live.follow(&bulkhead)?;
    ///
    /// assert_eq!(live.replace(settings(20).load()?)?, ["bulkhead.db"]);
    /// assert_eq!(bulkhead.config().max_in_flight, 20);
    /// assert!(live.replace(settings(0).load()?).is_err());
    /// assert_eq!(live.reload()?, ["bulkhead.db"], "the files hold again");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All that is wrong. Then nothing has changed, and the settings are those of before.
    pub fn replace(&mut self, settings: Settings) -> Result<Vec<String>, Errors> {
        let mut changes = Vec::new();
        let mut errors = settings.check();
        for policy in &mut self.policies {
            match policy.prepare(&settings) {
                Ok(change) => changes.extend(change),
                Err(error) => errors.push(error),
            }
        }
        errors.extend(self.pipelines.iter().filter_map(|(name, parts)| parts.still(&settings, name)));
        if !errors.is_empty() {
            return Err(Errors(once(errors)));
        }
        for index in 0..changes.len() {
            if let Err(error) = changes[index].apply() {
                changes[..index].iter_mut().for_each(|change| change.revert());
                return Err(error.into());
            }
        }
        self.policies.iter_mut().for_each(|policy| policy.taken());
        self.settings = Arc::new(settings);
        Ok(changes.iter().map(|change| change.policy().to_owned()).collect())
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("settings", &self.settings)
            .field("policies", &self.policies.len())
            .finish()
    }
}

/// All that is wrong with settings, a line each, and each once.
#[derive(Clone, Debug)]
pub struct Errors(Vec<Error>);

impl Errors {
    /// One by one; there is one at least.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.0.iter()
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
