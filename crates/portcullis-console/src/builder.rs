//! Building a console.

#[cfg(feature = "config")]
use std::sync::Mutex;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use portcullis::{ConfigError, Health, Registry};

use crate::{
    Console,
    console::{Shared, listen},
    feed::Feed,
    guard::{limits::Limits, token::Token},
    refusals::Refusals,
    sample::Samples,
};

/// Streams of events at a time, unless told otherwise: as many pages as a team opens.
pub const DEFAULT_STREAMS: u32 = 64;
/// Connections to a port of its own at a time, unless told otherwise: six for each page, and some to spare.
pub const DEFAULT_CONNECTIONS: usize = 512;

/// Builds a [`Console`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::BoxError> {
/// use portcullis::Registry;
/// use portcullis_console::Console;
///
/// let secret = "c2VjcmV0LW9mLW9wcw"; // from a file or a variable, never from the program's text
/// let console = Console::builder(&Registry::new()).token("ops", secret).service("shop").build()?;
/// let server = console.serve("127.0.0.1:0").await?;
/// println!("{}", server.url());
/// # Ok(()) }
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct ConsoleBuilder {
    registry: Registry,
    health: Option<Health>,
    service: Option<String>,
    tokens: Vec<(String, String)>,
    hosts: Vec<String>,
    open_on_loopback: bool,
    streams: u32,
    connections: usize,
    reads: u32,
    #[cfg(feature = "prometheus")]
    prometheus: Option<portcullis::metrics::Prometheus>,
    #[cfg(feature = "config")]
    config: Option<Arc<Mutex<portcullis_config::Live>>>,
}

impl ConsoleBuilder {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self {
            registry: registry.clone(),
            health: None,
            service: None,
            tokens: Vec::new(),
            hosts: Vec::new(),
            open_on_loopback: false,
            streams: DEFAULT_STREAMS,
            connections: DEFAULT_CONNECTIONS,
            reads: Limits::usual_reads(),
            #[cfg(feature = "prometheus")]
            prometheus: None,
            #[cfg(feature = "config")]
            config: None,
        }
    }

    /// Adds a token: who has the secret may read from anywhere, and change things; the name stands in the audit event of
    /// each change. With a token, all that tells anything needs one, also on this machine
    /// ([unless](Self::open_on_loopback)).
    ///
    /// The name is 1 to 64 bytes in one line; the secret 16 to 256 visible ASCII characters.
    pub fn token(mut self, name: impl Into<String>, secret: impl Into<String>) -> Self {
        self.tokens.push((name.into(), secret.into()));
        self
    }

    /// Lets everybody on this machine read without a token although there are tokens (default: no). Changes need one still.
    pub fn open_on_loopback(mut self, open: bool) -> Self {
        self.open_on_loopback = open;
        self
    }

    /// A name, without a port, by which the console may be asked without a token, beside `localhost` and the addresses of
    /// this machine alone (default none). A page of elsewhere can make its own name point to this machine, so a name that
    /// is not told here is refused.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// The health that `/readyz` and `/health` tell (default: one of the registry, always ready).
    pub fn health(mut self, health: &Health) -> Self {
        self.health = Some(health.clone());
        self
    }

    /// The service's name, on the page (default none).
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Answers `/metrics` with this exporter (default: 404, because a program has one exporter, and decides on it).
    #[cfg(feature = "prometheus")]
    pub fn prometheus(mut self, prometheus: &portcullis::metrics::Prometheus) -> Self {
        self.prometheus = Some(prometheus.clone());
        self
    }

    /// Shows the settings of these policies, and lets who has a token change them (default: 404). What is changed here is
    /// not written into files: it holds until these are read again, or the process ends.
    #[cfg(feature = "config")]
    pub fn config(self, live: portcullis_config::Live) -> Self {
        self.shared_config(Arc::new(Mutex::new(live)))
    }

    /// The same, for a program that reads its files again by itself. It is locked while policies are given other settings, and
    /// so while listeners hear of that: one that waits for the lock waits for ever.
    #[cfg(feature = "config")]
    pub fn shared_config(mut self, live: Arc<Mutex<portcullis_config::Live>>) -> Self {
        self.config = Some(live);
        self
    }

    /// Streams of events at a time (default [`DEFAULT_STREAMS`]); 1 to 1,000,000.
    pub fn streams(mut self, most: u32) -> Self {
        self.streams = most;
        self
    }

    /// Connections at a time to a [port of its own](Console::serve) (default [`DEFAULT_CONNECTIONS`]); 1 to 1,000,000.
    /// Those beyond are closed at once.
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }

    /// Requests a second, of everybody together (default 100); twice as many may come at once. 1 to 100,000.
    pub fn requests_per_second(mut self, most: u32) -> Self {
        self.reads = most;
        self
    }

    /// Builds the console, which listens from now on. Called within a runtime, it also looks at the policies from now on,
    /// and else from the first request.
    ///
    /// # Errors
    ///
    /// The first setting outside its range. No error shows a secret.
    pub fn build(self) -> Result<Console, ConfigError> {
        check("console.streams", u64::from(self.streams), 1_000_000)?;
        check("console.connections", self.connections as u64, 1_000_000)?;
        check("console.requests_per_second", u64::from(self.reads), 100_000)?;
        let tokens = tokens(&self.tokens)?;
        let (feed, refusals) = (Arc::new(Feed::new()), Arc::<Refusals>::default());
        let events = listen(&self.registry, &feed, &refusals);
        Ok(Console::start(Shared {
            health: self.health.unwrap_or_else(|| Health::new(&self.registry)),
            registry: self.registry,
            service: self.service,
            tokens,
            hosts: self.hosts,
            open_on_loopback: self.open_on_loopback,
            limits: Limits::new(self.streams, self.reads)?,
            connections: self.connections,
            feed,
            refusals,
            samples: Samples::default(),
            #[cfg(feature = "prometheus")]
            prometheus: self.prometheus,
            #[cfg(feature = "config")]
            config: self.config,
            sampler: OnceLock::new(),
            _events: events,
        }))
    }
}

fn check(field: &'static str, value: u64, most: u64) -> Result<(), ConfigError> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    Err(ConfigError::new(field, value, format!("1 to {most}")))
}

fn tokens(given: &[(String, String)]) -> Result<Vec<Token>, ConfigError> {
    for (at, (name, _)) in given.iter().enumerate() {
        if given[..at].iter().any(|(before, _)| before == name) {
            return Err(ConfigError::new("console.token.name", name, "a name that no other token has"));
        }
    }
    given.iter().map(|(name, secret)| Token::new(name, secret)).collect()
}

/// Shows no secret.
impl fmt::Debug for ConsoleBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens: Vec<_> = self.tokens.iter().map(|(name, _)| name).collect();
        f.debug_struct("ConsoleBuilder").field("tokens", &tokens).finish_non_exhaustive()
    }
}
