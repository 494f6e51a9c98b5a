//! Settings from the environment's variables.

use std::{collections::BTreeMap, ffi::OsString};

use crate::{
    Error,
    layer::{Layer, over, single},
    node::Node,
    parse,
    place::Place,
    section,
};

/// Between the parts of a variable's name.
const BETWEEN: &str = "__";

/// A variable's part of a name, as names are compared: `-`, `.` and spaces are underscores, and case is no matter.
fn plain(name: &str) -> String {
    let letter = |char: char| if char.is_alphanumeric() { char.to_ascii_lowercase() } else { '_' };
    name.chars().map(letter).collect()
}

/// What the variables say whose names begin with this prefix. A policy is found among those that `known` has.
pub(crate) fn layer(
    prefix: &str,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    known: &BTreeMap<&'static str, Vec<String>>,
) -> Result<Layer, Error> {
    let mut layer = Layer::default();
    for (name, value) in variables {
        let Some(name) = name.to_str() else { continue };
        let parts: Vec<&str> = name.split(BETWEEN).collect();
        let [first, rest @ ..] = &parts[..] else { continue };
        if *first != prefix || rest.is_empty() {
            continue;
        }
        let place = Place::variable(name);
        let Some(value) = value.to_str() else {
            return Err(Error::at(place, "is no text"));
        };
        let [kind, policy, field] = rest else {
            return Err(Error::at(place, format!("must be {prefix}__KIND__POLICY__FIELD")));
        };
        let node = single(&plain(field), parse::variable(name, value))?;
        add(&mut layer, &plain(kind), policy, node, known).map_err(|error| error.or_at(&place))?;
    }
    Ok(layer)
}

fn add(
    layer: &mut Layer,
    kind: &str,
    policy: &str,
    node: Node,
    known: &BTreeMap<&'static str, Vec<String>>,
) -> Result<(), Error> {
    let Some(kind) = section::kind(kind) else {
        return Err(Error::message(format!(
            "`{kind}` is no kind of policy: there are {}",
            section::KINDS.join(", ")
        )));
    };
    let policy = plain(policy);
    if policy == "defaults" {
        over(layer.defaults.entry(kind).or_insert_with(|| Node::empty(node.place.clone())), node);
        return Ok(());
    }
    let of_kind = known.get(kind).map_or(&[][..], Vec::as_slice);
    let found = of_kind.iter().find(|name| plain(name) == policy);
    let Some(name) = found else {
        return Err(Error::message(format!(
            "no {kind} is called `{policy}`: there are {}",
            of_kind.join(", ")
        )));
    };
    let policies = layer.policies.entry(kind).or_default();
    over(policies.entry(name.clone()).or_insert_with(|| Node::empty(node.place.clone())), node);
    Ok(())
}
