//! What one source says: defaults, policies, and what differs in an environment.

use std::collections::BTreeMap;

use crate::{
    Error, Place,
    node::{Field, Node, Table, Value, insert},
    section,
};

/// The name of the table with what all policies of a kind have in common.
const DEFAULTS: &str = "defaults";
/// The name of the table with what differs in an environment.
const ENVIRONMENTS: &str = "environments";

/// By which a file tells editors where its schema is.
const SCHEMA: &str = "$schema";

/// What a file says, or an environment in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    /// By kind.
    pub(crate) defaults: BTreeMap<&'static str, Node>,
    /// By kind and name.
    pub(crate) policies: BTreeMap<&'static str, BTreeMap<String, Node>>,
}

/// All that a file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    pub(crate) always: Layer,
    pub(crate) environments: BTreeMap<String, Layer>,
}

impl Document {
    pub(crate) fn read(node: Node) -> Result<Self, Error> {
        let mut document = Self::default();
        for (name, Field { key, node }) in node.into_table("a file")? {
            if name == SCHEMA {
                node.into_text("`$schema`")?;
            } else if name == ENVIRONMENTS {
                for (name, field) in node.into_table("`environments`")? {
                    let layer = document.environments.entry(name).or_default();
                    for (name, field) in field.node.into_table("an environment")? {
                        layer.add(&name, field.key, field.node)?;
                    }
                }
            } else {
                document.always.add(&name, key, node)?;
            }
        }
        Ok(document)
    }

    /// Adds what a later file says, which counts for more.
    pub(crate) fn extend(&mut self, later: Self) {
        self.always.extend(later.always);
        for (name, layer) in later.environments {
            self.environments.entry(name).or_default().extend(layer);
        }
    }
}

impl Layer {
    /// Adds a table of the file: the defaults, or the policies of a kind.
    fn add(&mut self, name: &str, key: Place, node: Node) -> Result<(), Error> {
        if name == DEFAULTS {
            for (name, field) in node.into_table("`defaults`")? {
                let kind = section::kind(&name).ok_or_else(|| unknown(&name, &field.key))?;
                self.defaults.insert(kind, table(field.node, "the settings of a policy")?);
            }
            return Ok(());
        }
        let kind = section::kind(name).ok_or_else(|| unknown(name, &key))?;
        let policies = self.policies.entry(kind).or_default();
        for (name, field) in node.into_table("a table of policies by name")? {
            policies.insert(name, table(field.node, "the settings of a policy")?);
        }
        Ok(())
    }

    fn extend(&mut self, later: Self) {
        for (kind, node) in later.defaults {
            over(self.defaults.entry(kind).or_insert_with(|| Node::empty(node.place.clone())), node);
        }
        for (kind, policies) in later.policies {
            let mine = self.policies.entry(kind).or_default();
            for (name, node) in policies {
                over(mine.entry(name).or_insert_with(|| Node::empty(node.place.clone())), node);
            }
        }
    }

    pub(crate) fn policy(&self, kind: &str, name: &str) -> Option<&Node> {
        self.policies.get(kind)?.get(name)
    }
}

/// Puts the fields of `later` over those of `node`. A preset is what the other fields start from: what was given
/// before it is forgotten.
pub(crate) fn over(node: &mut Node, later: Node) {
    let (Value::Table(fields), Value::Table(later_fields)) = (&mut node.value, later.value) else { return };
    if later_fields.contains_key("preset") {
        fields.clear();
    }
    node.place = later.place;
    fields.extend(later_fields);
}

fn table(node: Node, what: &str) -> Result<Node, Error> {
    let place = node.place.clone();
    node.into_table(what).map(|table| Node::new(Value::Table(table), place))
}

fn unknown(name: &str, key: &Place) -> Error {
    let known = section::KINDS.join(", ");
    Error::at(key.clone(), format!("`{name}` is no kind of policy: there are {known}"))
}

/// A table of one field.
pub(crate) fn single(name: &str, node: Node) -> Result<Node, Error> {
    let place = node.place.clone();
    let mut table = Table::new();
    insert(&mut table, name.to_owned(), place.clone(), node)?;
    Ok(Node::new(Value::Table(table), place))
}
