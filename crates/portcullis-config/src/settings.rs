//! All settings of a service.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use crate::{
    Builder, Error, Section,
    layer::{Document, Layer, over},
    node::{Node, Value},
    place::Place,
};

/// The name of the field by which a policy inherits from another.
const BASE: &str = "base";

/// All settings of a service, with all that they inherit.
///
/// ```
/// use portcullis::Breaker;
/// use portcullis_config::{Format, Settings};
/// use std::time::Duration;
///
/// let text = r#"
///     [defaults.breaker]
///     open_for = "10s"
///
///     [breaker.inventory]
///     failure_ratio = 0.3
///
///     [breaker.prices]
///     base = "inventory"
///     open_for = "1m"
///
///     [environments.production.defaults.breaker]
///     minimum_calls = 50
/// "#;
/// let settings = Settings::builder().text("shop.toml", Format::Toml, text).environment("production").load()?;
///
/// let prices = settings.breaker("prices")?;
/// assert_eq!((prices.open_for, prices.minimum_calls), (Duration::from_secs(60), 50));
/// assert_eq!(prices.failure_ratio, Some(0.3));
///
/// let breaker = Breaker::builder("prices").config(prices).build()?;
/// # let _ = breaker;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// By kind and name, with all that is inherited.
    policies: BTreeMap<&'static str, BTreeMap<String, Node>>,
    /// Where to look for what is missing.
    sources: Vec<String>,
}

impl Settings {
    /// Settings from this file alone.
    ///
    /// # Errors
    ///
    /// As [`Builder::load`].
    pub fn read(path: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        Self::builder().file(path).load()
    }

    /// Settings from several files, for an environment, or with variables.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The names of all policies of a kind, in the order of the alphabet.
    ///
    /// ```
    /// use portcullis::config;
    /// use portcullis_config::{Format, Settings};
    ///
    /// let text = r#"{ "retry": { "orders": {}, "mails": { "max_attempts": 5 } } }"#;
    /// let settings = Settings::builder().text("shop.json", Format::Json, text).load()?;
    /// assert_eq!(settings.names::<config::Retry>().collect::<Vec<_>>(), ["mails", "orders"]);
    /// # Ok::<(), portcullis_config::Error>(())
    /// ```
    pub fn names<S: Section>(&self) -> impl Iterator<Item = &str> {
        self.policies.get(S::KIND).into_iter().flat_map(BTreeMap::keys).map(String::as_str)
    }

    /// What the file says of this policy, such as [`config::Breaker`](portcullis::config::Breaker). For a policy that
    /// runs, and has functions that a file cannot have: these settings can be laid over what it has.
    ///
    /// # Errors
    ///
    /// When the file has no such policy, a field that there is not, or a value that is of the wrong type.
    pub fn section<S: Section>(&self, name: &str) -> Result<S, Error> {
        let node = self.node::<S>(name)?;
        S::deserialize(node.clone()).map_err(|error| error.or_at(&node.place).of(full::<S>(name)))
    }

    /// The configuration of this policy.
    ///
    /// # Errors
    ///
    /// As [`section`](Self::section), and when a value is outside its range.
    pub fn get<S: Section>(&self, name: &str) -> Result<S::Config, Error> {
        let node = self.node::<S>(name)?;
        let section = self.section::<S>(name)?;
        let config = section.build().map_err(|error| {
            let path = error.field().split('.').skip(1);
            Error::range(node.find(path).clone(), error).of(full::<S>(name))
        })?;
        section.check_in(self, name)?;
        Ok(config)
    }

    pub(crate) fn node<S: Section>(&self, name: &str) -> Result<&Node, Error> {
        self.policies.get(S::KIND).and_then(|policies| policies.get(name)).ok_or_else(|| {
            let known: Vec<_> = self.names::<S>().collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let sources = self.sources.join(", ");
            Error::message(format!("is not in {sources}: of this kind there is {known}")).of(full::<S>(name))
        })
    }

    /// Resolves what policies inherit.
    pub(crate) fn resolve(
        document: &Document,
        environment: Option<&Layer>,
        variables: &Layer,
        sources: Vec<String>,
    ) -> Result<Self, Error> {
        let from = Inheritance { layers: [Some(&document.always), environment], variables };
        let mut policies = BTreeMap::new();
        for (kind, names) in names(document, environment) {
            let of_kind: &mut BTreeMap<_, _> = policies.entry(kind).or_default();
            for name in names {
                let node = from.policy(kind, &name)?;
                of_kind.insert(name, node);
            }
        }
        Ok(Self { policies, sources })
    }
}

/// All policies there are.
pub(crate) fn names(document: &Document, environment: Option<&Layer>) -> BTreeMap<&'static str, Vec<String>> {
    let mut names: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for layer in [Some(&document.always), environment].into_iter().flatten() {
        for (kind, policies) in &layer.policies {
            names.entry(*kind).or_default().extend(policies.keys().cloned());
        }
    }
    names.into_iter().map(|(kind, names)| (kind, names.into_iter().collect())).collect()
}

/// As a file that says the same, with all that is inherited written out: kinds, names, fields.
///
/// ```
/// use portcullis_config::{Format, Settings};
///
/// let text = "[defaults.bulkhead]\nmax_in_flight = 7\n[bulkhead.db]\n";
/// let settings = Settings::builder().text("shop.toml", Format::Toml, text).load()?;
/// assert_eq!(serde_json::to_string(&settings)?, r#"{"bulkhead":{"db":{"max_in_flight":7}}}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(&self.policies)
    }
}

struct Inheritance<'a> {
    /// What is always so, and what is so in the environment.
    layers: [Option<&'a Layer>; 2],
    variables: &'a Layer,
}

impl Inheritance<'_> {
    fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.layers.into_iter().flatten()
    }

    /// The settings of a policy, with all that they inherit.
    fn policy(&self, kind: &'static str, name: &str) -> Result<Node, Error> {
        let chain = self.chain(kind, name)?;
        let defaults = self.layers().chain([self.variables]).filter_map(|layer| layer.defaults.get(kind));
        let own = chain.iter().rev().flat_map(|name| {
            self.layers().chain([self.variables]).filter_map(|layer| layer.policy(kind, name))
        });
        let mut layers = defaults.chain(own).cloned();
        // A policy that has a name has a layer.
        let Some(mut node) = layers.next() else { return Err(Error::message("is nowhere")) };
        layers.for_each(|layer| over(&mut node, layer));
        if let Value::Table(fields) = &mut node.value {
            fields.remove(BASE);
        }
        Ok(node)
    }

    /// The policy, what it inherits from, what that inherits from, and so on.
    fn chain(&self, kind: &'static str, name: &str) -> Result<Vec<String>, Error> {
        let mut chain = vec![name.to_owned()];
        let mut last = name.to_owned();
        while let Some((base, place)) = self.base(kind, &last)? {
            if chain.contains(&base) {
                let circle = chain.join(" < ");
                return Err(
                    Error::at(place, format!("a circle: {circle} < {base}")).of(format!("{kind}.{name}"))
                );
            }
            if !self.layers().any(|layer| layer.policy(kind, &base).is_some()) {
                let message = format!("inherits from `{base}`, and no {kind} is called that");
                return Err(Error::at(place, message).of(format!("{kind}.{last}")));
            }
            chain.push(base.clone());
            last = base;
        }
        Ok(chain)
    }

    /// What this policy inherits from, and where that was said.
    fn base(&self, kind: &str, name: &str) -> Result<Option<(String, Place)>, Error> {
        let layers = self.layers().chain([self.variables]);
        let said = layers.filter_map(|layer| match &layer.policy(kind, name)?.value {
            Value::Table(fields) => fields.get(BASE),
            _ => None,
        });
        let Some(field) = said.last() else { return Ok(None) };
        let place = field.node.place.clone();
        Ok(Some((field.node.clone().into_text("`base`")?, place)))
    }
}

pub(crate) fn full<S: Section>(name: &str) -> String {
    format!("{}.{name}", S::KIND)
}
