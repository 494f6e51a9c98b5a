//! Loading settings.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{
    Error, Format, Settings,
    layer::{Document, Layer},
    place::Place,
    settings::names,
    variables,
};

/// Loads [`Settings`] from files, for an environment, and from variables.
///
/// ```
/// use portcullis_config::{Format, Settings};
/// use std::{ffi::OsString, time::Duration};
///
/// let yaml = "
/// retry:
///   orders: { max_attempts: 2 }
/// environments:
///   production:
///     retry:
///       orders: { total_time: 2s }
/// ";
/// let variables = [("SHOP__RETRY__ORDERS__MAX_ATTEMPTS", "4")].map(|(name, value)| (name.into(), value.into()));
/// let settings = Settings::builder()
///     .text("shop.yaml", Format::Yaml, yaml)
///     .environment("production")
///     .variables("SHOP", variables)
///     .load()?;
///
/// let orders = settings.retry("orders")?;
/// assert_eq!((orders.max_attempts, orders.total_time), (4, Some(Duration::from_secs(2))));
/// # Ok::<(), portcullis_config::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `load`"]
pub struct Builder {
    sources: Vec<Source>,
    environment: Option<String>,
    variables: Option<(String, Vec<(OsString, OsString)>)>,
}

#[derive(Clone, Debug)]
struct Source {
    path: PathBuf,
    from: From,
}

#[derive(Clone, Debug)]
enum From {
    File,
    FileIfThere,
    Text(Format, String),
}

impl Builder {
    /// Reads this file: TOML, YAML or JSON, by its extension. Of several files, a later one counts for more.
    pub fn file(self, path: impl AsRef<Path>) -> Self {
        self.source(path.as_ref(), From::File)
    }

    /// The same if there is such a file.
    pub fn file_if_there(self, path: impl AsRef<Path>) -> Self {
        self.source(path.as_ref(), From::FileIfThere)
    }

    /// Takes this text; `name` stands for the file in errors.
    pub fn text(self, name: impl AsRef<Path>, format: Format, text: impl Into<String>) -> Self {
        self.source(name.as_ref(), From::Text(format, text.into()))
    }

    fn source(mut self, path: &Path, from: From) -> Self {
        self.sources.push(Source { path: path.to_owned(), from });
        self
    }

    /// Says where the service runs (default nowhere in particular): what the table `environments` has under this name
    /// counts for more than what stands outside of it. A name that no file has there is an error if a file has any;
    /// an environment in which nothing differs is an empty table.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Reads variables `PREFIX__KIND__POLICY__FIELD`, such as `SHOP__BREAKER__INVENTORY__OPEN_FOR`, which count for
    /// more than all files; `DEFAULTS` in place of a policy is for all of its kind. A value is what TOML makes of it,
    /// such as a number or an inline table, and else a text. Names are compared without case, and with `_` for whatever
    /// is no letter or digit. A variable of a policy that no file has is an error.
    pub fn variables(
        mut self,
        prefix: impl Into<String>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        self.variables = Some((prefix.into(), variables.into_iter().collect()));
        self
    }

    /// [`variables`](Self::variables) of this process.
    pub fn process_variables(self, prefix: impl Into<String>) -> Self {
        self.variables(prefix, std::env::vars_os())
    }

    /// Reads everything, and resolves what policies inherit.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, is not of its format, has a table that is no kind of policy, or inherits from what
    /// is not there, or in a circle. Values are looked at when a policy is asked for; see
    /// [`check`](Settings::check).
    pub fn load(self) -> Result<Settings, Error> {
        let mut document = Document::default();
        let mut sources = Vec::new();
        for source in &self.sources {
            sources.push(source.path.display().to_string());
            let start = Place::file(&source.path);
            if let Some((format, text)) = source.read(&start)? {
                document.extend(Document::read(format.parse(&text, &start)?)?);
            }
        }
        let environment = self.environment_of(&document)?;
        let variables = match self.variables {
            Some((prefix, variables)) => {
                variables::layer(&prefix, variables, &names(&document, environment))?
            }
            None => Layer::default(),
        };
        Settings::resolve(&document, environment, &variables, sources)
    }

    /// The paths of all files.
    #[cfg(feature = "watch")]
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let files = self.sources.iter().filter(|source| !matches!(source.from, From::Text(..)));
        files.map(|source| source.path.as_path())
    }

    fn environment_of<'a>(&self, document: &'a Document) -> Result<Option<&'a Layer>, Error> {
        let Some(name) = &self.environment else { return Ok(None) };
        let layer = document.environments.get(name);
        if layer.is_none() && !document.environments.is_empty() {
            let known: Vec<_> = document.environments.keys().map(String::as_str).collect();
            let known = known.join(", ");
            return Err(Error::message(format!("there is no environment `{name}`: there are {known}")));
        }
        Ok(layer)
    }
}

impl Source {
    fn read(&self, start: &Place) -> Result<Option<(Format, String)>, Error> {
        if let From::Text(format, text) = &self.from {
            return Ok(Some((*format, text.clone())));
        }
        let Some(format) = Format::of(&self.path) else {
            return Err(Error::at(start.clone(), "must end in .toml, .yaml, .yml or .json"));
        };
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(Some((format, text))),
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound && matches!(self.from, From::FileIfThere) =>
            {
                Ok(None)
            }
            Err(error) => Err(Error::io(start.clone(), error)),
        }
    }
}
