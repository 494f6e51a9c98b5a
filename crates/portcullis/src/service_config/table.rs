//! The policies of the methods.

use std::{collections::HashMap, sync::Arc};

use portcullis_core::{ConfigError, GrpcCodes, Name, retry::BudgetConfig};

use super::document::{Attempts, Document, Entry};
use crate::{Hedge, Registry, RetryBudget, RetryPolicy, Timeout};

/// What there is for each beginning of a path.
#[derive(Debug, Default)]
pub(super) struct Table {
    methods: HashMap<Box<str>, Arc<Method>>,
    throttling: BudgetConfig,
}

/// What the calls of a method go by.
#[derive(Debug)]
pub(super) struct Method {
    /// Its first name, by which its policies are called.
    first: Box<str>,
    /// The document's word, which the policies follow.
    attempts: Attempts,
    pub(super) timeout: Option<Timeout>,
    pub(super) how: How,
}

/// How often a call is made.
#[derive(Clone, Debug)]
pub(super) enum How {
    Once,
    Retried(RetryPolicy),
    Hedged(Hedge, GrpcCodes),
}

/// Where policies belong.
pub(super) struct Home<'a> {
    pub(super) server: &'a Name,
    pub(super) budget: &'a RetryBudget,
    pub(super) registry: &'a Registry,
}

impl Table {
    /// The policies that a document wants. Those that were there by the same name and of the same kind stay,
    /// with all they have seen, and are to [follow](Self::follow).
    pub(super) fn of(document: Document, before: &Self, home: &Home<'_>) -> Result<Self, ConfigError> {
        let mut methods = HashMap::new();
        for entry in document.entries {
            let Some(first) = entry.names.first() else { continue };
            // One that had several names, of which this was not the first, belongs to that one.
            let before = before.methods.get(first).map(|method| &**method);
            let before = before.filter(|method| method.first == *first);
            let method = Arc::new(Method::of(&entry, first, before, home)?);
            methods.extend(entry.names.into_iter().map(|name| (name, method.clone())));
        }
        Ok(Self { methods, throttling: document.throttling })
    }

    /// The method of a path: by its own name, that of its service, or none.
    pub(super) fn method(&self, path: &str) -> Option<&Arc<Method>> {
        let service = || path.rfind('/').and_then(|end| self.methods.get(&path[..=end]));
        self.methods.get(path).or_else(service).or_else(|| self.methods.get(""))
    }

    /// Lets the policies that stayed, and the budget, do as the document says.
    pub(super) fn follow(&self, budget: &RetryBudget) -> Result<(), ConfigError> {
        if budget.config() != self.throttling {
            budget.reconfigure(self.throttling)?;
        }
        self.methods.values().try_for_each(|method| match (&method.how, &method.attempts) {
            (How::Retried(policy), Attempts::Retried(config)) if *policy.config() != *config => {
                policy.reconfigure(config.clone())
            }
            (How::Hedged(hedge, _), Attempts::Hedged(config, _)) if *hedge.config() != *config => {
                hedge.reconfigure(config.clone())
            }
            _ => Ok(()),
        })
    }
}

impl Method {
    fn of(entry: &Entry, path: &str, before: Option<&Self>, home: &Home<'_>) -> Result<Self, ConfigError> {
        let Home { server, budget, registry } = *home;
        let name = || format!("{server}/{}", shown(path));
        let timeout = match (entry.timeout, before.and_then(|before| before.timeout.as_ref())) {
            (Some(limit), Some(before)) if before.limit() == limit => Some(before.clone()),
            (Some(limit), _) => {
                let timeout = Timeout::builder(name(), limit).whole_response(true).registry(registry);
                Some(timeout.build()?)
            }
            (None, _) => None,
        };
        let how = match (&entry.attempts, before.map(|before| &before.how)) {
            (Attempts::Once, _) => How::Once,
            (Attempts::Retried(_), Some(How::Retried(policy))) => How::Retried(policy.clone()),
            (Attempts::Retried(config), _) => {
                let policy = RetryPolicy::builder(name()).config(config.clone()).budget(budget);
                How::Retried(policy.registry(registry).build()?)
            }
            (Attempts::Hedged(_, codes), Some(How::Hedged(hedge, _))) => How::Hedged(hedge.clone(), *codes),
            (Attempts::Hedged(config, codes), _) => {
                let hedge = Hedge::builder(name()).config(config.clone()).budget(budget);
                How::Hedged(hedge.registry(registry).build()?, *codes)
            }
        };
        Ok(Self { first: path.into(), attempts: entry.attempts.clone(), timeout, how })
    }
}

/// A beginning of paths, for people.
fn shown(path: &str) -> &str {
    match path.trim_matches('/') {
        "" => "default",
        path => path,
    }
}
