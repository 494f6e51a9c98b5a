//! The console.

#[cfg(feature = "config")]
use std::sync::Mutex;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use portcullis::{
    Health, Registry,
    event::{Interest, Subscription},
};
use tokio::{runtime::Handle, task::AbortHandle};

use crate::{
    builder::ConsoleBuilder,
    feed::Feed,
    guard::{limits::Limits, token::Token},
    refusals::Refusals,
    sample::{self, Samples},
};

/// The console of a registry: a cheap handle.
///
/// It listens to the registry's events, and looks at its policies every two seconds, for as long as a handle or a
/// [router](Self::router) of it is there.
#[derive(Clone)]
pub struct Console(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) registry: Registry,
    pub(crate) health: Health,
    pub(crate) service: Option<String>,
    pub(crate) tokens: Vec<Token>,
    /// Names by which it is asked, beside those of this machine.
    pub(crate) hosts: Vec<String>,
    pub(crate) open_on_loopback: bool,
    pub(crate) limits: Limits,
    pub(crate) connections: usize,
    pub(crate) feed: Arc<Feed>,
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) samples: Samples,
    #[cfg(feature = "prometheus")]
    pub(crate) prometheus: Option<portcullis::metrics::Prometheus>,
    #[cfg(feature = "config")]
    pub(crate) config: Option<Arc<Mutex<portcullis_config::Live>>>,
    pub(crate) sampler: OnceLock<AbortHandle>,
    pub(crate) _events: Subscription,
}

impl Console {
    /// A console of this registry, to look at from this machine; nobody can change anything.
    ///
    /// ```
    /// use portcullis::Registry;
    /// use portcullis_console::Console;
    ///
    /// let app: axum::Router = axum::Router::new().nest_service("/portcullis", Console::new(Registry::global()).router());
    /// # let _ = app;
    /// ```
    #[expect(
        clippy::missing_panics_doc,
        reason = "the settings that are documented as the default are within their ranges"
    )]
    #[expect(clippy::expect_used, reason = "the same")]
    pub fn new(registry: &Registry) -> Self {
        Self::builder(registry).build().expect("the default settings")
    }

    /// A console with tokens, other limits, settings to change.
    pub fn builder(registry: &Registry) -> ConsoleBuilder {
        ConsoleBuilder::new(registry)
    }

    /// The registry that it shows.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub(crate) fn start(shared: Shared) -> Self {
        let console = Self(Arc::new(shared));
        // Where there is no runtime yet, the first request starts it.
        if let Ok(runtime) = Handle::try_current() {
            console.0.watch(&runtime);
        }
        console
    }
}

impl Shared {
    /// Looks at the policies from now on, if nobody does.
    pub(crate) fn watch(self: &Arc<Self>, runtime: &Handle) {
        self.sampler.get_or_init(|| runtime.spawn(sample::run(Arc::downgrade(self))).abort_handle());
    }

    /// Whether anybody could change anything.
    pub(crate) fn is_writable(&self) -> bool {
        !self.tokens.is_empty()
    }

    pub(crate) fn has_config(&self) -> bool {
        #[cfg(feature = "config")]
        let has = self.config.is_some();
        #[cfg(not(feature = "config"))]
        let has = false;
        has
    }
}

/// Hears of everything in the registry, and keeps what is shown of it.
pub(crate) fn listen(registry: &Registry, feed: &Arc<Feed>, refusals: &Arc<Refusals>) -> Subscription {
    let (feed, refusals, own) = (feed.clone(), refusals.clone(), registry.clone());
    registry.events().listen(Interest::All, move |event| {
        let is_news = refusals.hear(event, &own);
        feed.hear(event, is_news);
    })
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(sampler) = self.sampler.get() {
            sampler.abort();
        }
    }
}

/// Shows no secret.
impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("tokens", &self.0.tokens).finish_non_exhaustive()
    }
}
