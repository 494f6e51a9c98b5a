//! What is wrong with a file.

use std::{collections::HashSet, fmt, io, sync::Arc};

use portcullis::ConfigError;

use crate::Place;

/// What is wrong with settings, and where they were given.
///
/// ```
/// use portcullis_config::{Format, Settings};
///
/// let text = "[breaker.inventory]\nfailure_ratio = 3\n";
/// let settings = Settings::builder().text("shop.toml", Format::Toml, text).load()?;
/// let error = settings.breaker("inventory").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "shop.toml:2:17: breaker.inventory: breaker.failure_ratio is 3.0: allowed is 0.0001 to 1.0"
/// );
/// assert_eq!(error.place().map(|place| place.line()), Some(2));
/// # Ok::<(), portcullis_config::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    place: Option<Place>,
    /// The policy, such as `breaker.inventory`.
    policy: Option<String>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// It cannot be read.
    Io(Arc<io::Error>),
    /// It does not fit, or is not known.
    Message(String),
    /// It is outside its range.
    Range(ConfigError),
}

impl Error {
    fn new(place: Option<Place>, what: What) -> Self {
        Self(Box::new(Inner { place, policy: None, what }))
    }

    pub(crate) fn at(place: Place, message: impl Into<String>) -> Self {
        Self::new(Some(place), What::Message(message.into()))
    }

    pub(crate) fn message(message: impl Into<String>) -> Self {
        Self::new(None, What::Message(message.into()))
    }

    pub(crate) fn io(place: Place, error: io::Error) -> Self {
        Self::new(Some(place), What::Io(Arc::new(error)))
    }

    pub(crate) fn range(place: Place, error: ConfigError) -> Self {
        Self::new(Some(place), What::Range(error))
    }

    /// The same error, which happened there unless it knows better.
    pub(crate) fn or_at(mut self, place: &Place) -> Self {
        self.0.place.get_or_insert_with(|| place.clone());
        self
    }

    /// The same error, of this policy.
    pub(crate) fn of(mut self, policy: impl Into<String>) -> Self {
        self.0.policy = Some(policy.into());
        self
    }

    /// Where the value was given that is wrong.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// The policy, such as `breaker.inventory`, when it is about one.
    pub fn policy(&self) -> Option<&str> {
        self.0.policy.as_deref()
    }

    /// The field, the value and the allowed range, when a value is outside its range.
    pub fn out_of_range(&self) -> Option<&ConfigError> {
        match &self.0.what {
            What::Range(error) => Some(error),
            _ => None,
        }
    }

    /// What is wrong, without where: for those who are shown the place and the policy in another way.
    ///
    /// ```
    /// use portcullis_config::{Format, Settings};
    ///
    /// let text = "[breaker.inventory]\nfailure_ratio = 3\n";
    /// let settings = Settings::builder().text("shop.toml", Format::Toml, text).load()?;
    /// let error = settings.breaker("inventory").unwrap_err();
    /// assert_eq!(error.what(), "breaker.failure_ratio is 3.0: allowed is 0.0001 to 1.0");
    /// # Ok::<(), portcullis_config::Error>(())
    /// ```
    pub fn what(&self) -> String {
        match &self.0.what {
            What::Io(error) => format!("cannot be read: {error}"),
            What::Message(message) => message.clone(),
            What::Range(error) => error.to_string(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.0.place {
            write!(f, "{place}: ")?;
        }
        if let Some(policy) = &self.0.policy {
            write!(f, "{policy}: ")?;
        }
        f.write_str(&self.what())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.what {
            What::Io(error) => Some(&**error),
            What::Range(error) => Some(error),
            What::Message(_) => None,
        }
    }
}

/// These errors, each once: what is wrong with a policy is found with the policy, with each pipeline that it is in, and with
/// each of its kind and name that runs.
pub(crate) fn once(mut errors: Vec<Error>) -> Vec<Error> {
    let mut told = HashSet::new();
    errors.retain(|error| told.insert(error.to_string()));
    errors
}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::message(message.to_string())
    }
}
