//! The settings of a retry budget.

use std::fmt::{self, Formatter};

use portcullis_core::{ConfigError, retry::BudgetConfig};
use serde::{
    Serializer,
    de::{Error, MapAccess, Unexpected},
};

use super::{
    fields::{read_fields, write_fields},
    form::{Form, one_of},
    place::Place,
    settings::{Field, serde},
};
use crate::{Registry, RetryBudget};

/// What a file says of a retry budget; see [the list of fields](crate::config#fields-of-a-budget).
///
/// ```
/// use portcullis::{config, retry::BudgetConfig};
/// use std::collections::BTreeMap;
///
/// let file = r#"
///     usual = "share"
///     careful = { ratio = 0.1, min_per_second = 2 }
///     grpc = { kind = "throttle", max_tokens = 100, token_ratio = 0.5 }
///     none = "unlimited"
/// "#;
/// let budgets: BTreeMap<String, config::Budget> = toml::from_str(file)?;
/// assert_eq!(budgets["usual"].build()?, BudgetConfig::default());
/// assert_eq!(budgets["careful"].build()?, BudgetConfig::share(0.1, 2));
/// assert_eq!(budgets["grpc"].build()?, BudgetConfig::throttle(100, 0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budget {
    shared: Option<String>,
    config: BudgetConfig,
}

/// One of each kind.
const KINDS: [BudgetConfig; 5] = [
    BudgetConfig::SHARE,
    BudgetConfig::CONCURRENT,
    BudgetConfig::THROTTLE,
    BudgetConfig::COST,
    BudgetConfig::Unlimited,
];

impl Budget {
    /// The configuration: what was not given is by default.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<BudgetConfig, ConfigError> {
        self.config.check().map(|()| self.config)
    }

    /// The name of the budget, if it is one that several policies share.
    pub fn shared(&self) -> Option<&str> {
        self.shared.as_deref()
    }

    /// The budget of the registry that has the name given here, made if there is none; see
    /// [`RetryBudget::shared`]. `None`, if no name was given.
    ///
    /// The first of those that share it settles its rules, so it is best made before them, or all say the same.
    /// A later change in the file reaches it by [`reload`](Self::reload).
    ///
    /// ```
    /// use portcullis::{Registry, config};
    ///
    /// let registry = Registry::new();
    /// let settings: config::Budget = toml::from_str("shared = \"upstream\"\nratio = 0.1")?;
    /// let (one, other) = (settings.in_registry(&registry)?, settings.in_registry(&registry)?);
    /// assert!(one.unwrap().is_same(&other.unwrap()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn in_registry(&self, registry: &Registry) -> Result<Option<RetryBudget>, ConfigError> {
        let config = self.build()?;
        self.shared().map(|name| RetryBudget::shared(name, config, registry)).transpose()
    }

    /// The same, with the rules that are given here from now on: for a file that has changed. All that share the budget
    /// follow, the keys of a [`KeyedRetry`](crate::retry::KeyedRetry) or [`KeyedHedge`](crate::hedge::KeyedHedge) too,
    /// and keep what was saved up, within the new limits. Where the name is another one, those that were built keep the
    /// budget that they have.
    ///
    /// ```
    /// use portcullis::{Registry, config, retry::BudgetConfig, retry::KeyedRetry};
    ///
    /// let registry = Registry::new();
    /// let file: config::Retry = toml::from_str("budget = { shared = \"upstream\", ratio = 0.1 }")?;
    /// let hosts = KeyedRetry::builder("hosts").registry(&registry).settings(&file)?.build()?;
    ///
    /// let file: config::Retry = toml::from_str("budget = { shared = \"upstream\", ratio = 0.3 }")?;
    /// hosts.reconfigure(file.reload(&hosts.config())?)?;
    /// if let Some(budget) = file.budget() {
    ///     budget.reload(&registry)?;
    /// }
    /// assert_eq!(hosts.policy("host-a").budget().config(), BudgetConfig::share(0.3, 10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range; nothing has changed then.
    pub fn reload(&self, registry: &Registry) -> Result<Option<RetryBudget>, ConfigError> {
        let budget = self.in_registry(registry)?;
        if let Some(budget) = budget.as_ref().filter(|budget| budget.config() != self.config) {
            budget.reconfigure(self.config)?;
        }
        Ok(budget)
    }
}

/// Taken as a whole.
impl Field<BudgetConfig> for Budget {
    fn over(self, _: BudgetConfig) -> BudgetConfig {
        self.config
    }

    fn of(config: BudgetConfig) -> Self {
        Self { shared: None, config }
    }
}

/// Every field of every kind, as far as it is given.
#[derive(Default)]
struct Given {
    kind: Option<Kind>,
    ratio: Option<f64>,
    min_per_second: Option<u32>,
    min_concurrent: Option<u32>,
    max_tokens: Option<u32>,
    token_ratio: Option<f64>,
    capacity: Option<u32>,
    retry: Option<u32>,
    timeout: Option<u32>,
    success: Option<u32>,
}

/// A kind by its word, with its defaults.
struct Kind(BudgetConfig);

impl Given {
    /// The budget, if every field that is given is one of its kind; else the first that is not.
    fn build(&mut self) -> Result<BudgetConfig, &'static str> {
        let usual = self.kind.take().map_or(BudgetConfig::default(), |kind| kind.0);
        let config = match usual {
            BudgetConfig::Share { ratio, min_per_second } => BudgetConfig::Share {
                ratio: take(&mut self.ratio, ratio),
                min_per_second: take(&mut self.min_per_second, min_per_second),
            },
            BudgetConfig::Concurrent { ratio, min_concurrent } => BudgetConfig::Concurrent {
                ratio: take(&mut self.ratio, ratio),
                min_concurrent: take(&mut self.min_concurrent, min_concurrent),
            },
            BudgetConfig::Throttle { max_tokens, token_ratio } => BudgetConfig::Throttle {
                max_tokens: take(&mut self.max_tokens, max_tokens),
                token_ratio: take(&mut self.token_ratio, token_ratio),
            },
            BudgetConfig::Cost { capacity, retry, timeout, success } => BudgetConfig::Cost {
                capacity: take(&mut self.capacity, capacity),
                retry: take(&mut self.retry, retry),
                timeout: take(&mut self.timeout, timeout),
                success: take(&mut self.success, success),
            },
            other => other,
        };
        self.left().map_or(Ok(config), Err)
    }

    fn of(config: BudgetConfig) -> Self {
        let mut given = Self { kind: Some(Kind(config)), ..Self::default() };
        match config {
            BudgetConfig::Share { ratio, min_per_second } => {
                (given.ratio, given.min_per_second) = (Some(ratio), Some(min_per_second));
            }
            BudgetConfig::Concurrent { ratio, min_concurrent } => {
                (given.ratio, given.min_concurrent) = (Some(ratio), Some(min_concurrent));
            }
            BudgetConfig::Throttle { max_tokens, token_ratio } => {
                (given.max_tokens, given.token_ratio) = (Some(max_tokens), Some(token_ratio));
            }
            BudgetConfig::Cost { capacity, retry, timeout, success } => {
                (given.capacity, given.retry) = (Some(capacity), Some(retry));
                (given.timeout, given.success) = (Some(timeout), Some(success));
            }
            _ => {}
        }
        given
    }

    /// The first field that nobody has taken.
    fn left(&self) -> Option<&'static str> {
        let left = [
            (self.ratio.is_some(), "ratio"),
            (self.min_per_second.is_some(), "min_per_second"),
            (self.min_concurrent.is_some(), "min_concurrent"),
            (self.max_tokens.is_some(), "max_tokens"),
            (self.token_ratio.is_some(), "token_ratio"),
            (self.capacity.is_some(), "capacity"),
            (self.retry.is_some(), "retry"),
            (self.timeout.is_some(), "timeout"),
            (self.success.is_some(), "success"),
        ];
        left.into_iter().find(|(is, _)| *is).map(|(_, field)| field)
    }
}

fn take<T>(given: &mut Option<T>, usual: T) -> T {
    given.take().unwrap_or(usual)
}

impl Form for Budget {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { ratio = 0.2, min_per_second = 10 }; or ")?;
        Kind::expected(f)
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        Kind::scalar(value).map(|kind| Self::of(kind.0))
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, {
            shared, kind, ratio, min_per_second, min_concurrent, max_tokens, token_ratio, capacity, retry,
            timeout, success,
        });
        let mut given = Given {
            kind,
            ratio,
            min_per_second,
            min_concurrent,
            max_tokens,
            token_ratio,
            capacity,
            retry,
            timeout,
            success,
        };
        let word = given.kind.as_ref().map_or("share", |kind| kind.0.kind());
        let config = given.build().map_err(|field| {
            A::Error::custom(format_args!("{} is not for the kind {word}", place.field(field)))
        })?;
        Ok(Self { shared, config })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let shared = &self.shared;
        let Given {
            kind,
            ratio,
            min_per_second,
            min_concurrent,
            max_tokens,
            token_ratio,
            capacity,
            retry,
            timeout,
            success,
        } = &Given::of(self.config);
        write_fields!(to, "Budget", {
            shared, kind, ratio, min_per_second, min_concurrent, max_tokens, token_ratio, capacity, retry,
            timeout, success,
        })
    }
}

serde!(Budget at "budget");

impl Form for Kind {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        one_of(f, &KINDS.map(|kind| kind.kind()))
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(word) => KINDS.into_iter().find(|kind| kind.kind() == word).map(Self),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.kind())
    }
}
