//! From texts to nodes.

mod json;
mod toml;
mod yaml;

use std::path::Path;

use crate::{Error, Place, node::Node};

/// How deep tables and lists may stand in each other: more than any setting does, and few enough for any stack.
const DEEPEST: usize = 32;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// TOML 1.1.
    Toml,
    /// YAML 1.2, without anchors and aliases.
    Yaml,
    /// JSON.
    Json,
}

impl Format {
    /// The format that files with this extension have: `toml`, `yaml`, `yml` or `json`.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    pub(crate) fn parse(self, text: &str, start: &Place) -> Result<Node, Error> {
        match self {
            Self::Toml => toml::parse(text, start),
            Self::Yaml => yaml::parse(text, start),
            Self::Json => json::parse(text, start),
        }
    }
}

/// The value of a variable: what TOML makes of it, and else the text as it is.
pub(crate) fn variable(name: &str, text: &str) -> Node {
    let place = Place::variable(name);
    toml::value(text, &place)
}
