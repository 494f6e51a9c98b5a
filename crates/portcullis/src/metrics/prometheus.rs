//! Every policy as Prometheus reads it.

use std::{fmt, sync::Arc, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::{BUCKETS, LEAST_INTERVAL, Publisher};
use crate::Registry;

/// What a scrape is answered with: the text format of Prometheus.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The exporter: sets the recorder of the `metrics` facade, and answers scrapes.
///
/// One line sets it up, and one shows it, here with axum:
///
/// ```text
/// let prometheus = portcullis::metrics::Prometheus::install()?;
/// let app = app.route("/metrics", get(move || std::future::ready(prometheus.response())));
/// ```
///
/// What the program itself counts with `metrics::counter!` and the like is in the same answer. Each scrape shows the
/// policies as they are at that moment; nothing runs in between.
///
/// Not for a program that has an exporter of its own, of OpenTelemetry say: there a [`Publisher`] is enough. And the
/// route belongs on an address that callers do not reach: who reads it knows what the service depends on.
///
/// ```
/// use portcullis::{Breaker, metrics::Prometheus};
///
/// let prometheus = Prometheus::install()?;
/// let breaker = Breaker::new("inventory");
/// breaker.isolate();
/// assert!(prometheus.render().contains(r#"portcullis_breaker_state{policy="inventory"} 4"#));
///
/// // There is one recorder for the program, and it cannot be replaced.
/// assert!(Prometheus::install().is_err());
/// # Ok::<(), portcullis::BoxError>(())
/// ```
#[derive(Clone)]
pub struct Prometheus {
    shared: Arc<Shared>,
}

struct Shared {
    publisher: Publisher,
    handle: PrometheusHandle,
}

impl Prometheus {
    /// Sets the recorder, and shows the [global](Registry::global) registry.
    ///
    /// # Errors
    ///
    /// The program has a recorder already.
    pub fn install() -> Result<Self, RecorderIsSet> {
        Self::install_with(Self::builder(), Registry::global())
    }

    /// Sets the recorder that `builder` makes, and shows `registry`.
    ///
    /// ```
    /// use portcullis::{Registry, metrics::Prometheus};
    ///
    /// let builder = Prometheus::builder().add_global_label("region", "eu");
    /// let prometheus = Prometheus::install_with(builder, &Registry::new())?;
    /// assert!(prometheus.render().contains(r#"portcullis_health_overall{region="eu"} 0"#));
    /// # Ok::<(), portcullis::BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The program has a recorder already.
    pub fn install_with(builder: PrometheusBuilder, registry: &Registry) -> Result<Self, RecorderIsSet> {
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        ::metrics::set_global_recorder(recorder).map_err(|_| RecorderIsSet)?;
        Ok(Self::new(registry, handle))
    }

    /// Of a recorder that is set, the handle. Make it with the [builder](Self::builder), or the histograms are
    /// summaries, which alerts and dashboards cannot add up. Never make two for one registry.
    pub fn new(registry: &Registry, handle: PrometheusHandle) -> Self {
        Self { shared: Arc::new(Shared { publisher: Publisher::new(registry), handle }) }
    }

    /// A builder of recorders with [`BUCKETS`] for this library's histograms, and the program's own as the exporter
    /// has them.
    pub fn builder() -> PrometheusBuilder {
        let ours = Matcher::Prefix("portcullis_".into());
        // It fails for no buckets at all, and these are some.
        PrometheusBuilder::new().set_buckets_for_metric(ours, &BUCKETS).unwrap_or_default()
    }

    /// All policies and checks as they are now, and all else that the recorder has, as text of
    /// [this](CONTENT_TYPE) type.
    pub fn render(&self) -> String {
        self.shared.publisher.publish();
        self.shared.handle.render()
    }

    /// The answer to a scrape.
    #[cfg(feature = "http")]
    pub fn response(&self) -> http::Response<String> {
        let mut response = http::Response::new(self.render());
        let kind = http::HeaderValue::from_static(CONTENT_TYPE);
        response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
        response
    }

    /// Keeps what the program's own histograms took from growing for as long as nothing scrapes. Not needed where
    /// something does, nor without histograms of one's own; it ends when it is no longer polled. `every` is
    /// [`LEAST_INTERVAL`] at least; a minute will do.
    pub async fn keep_up(self, every: Duration) {
        loop {
            self.shared.handle.run_upkeep();
            tokio::time::sleep(every.max(LEAST_INTERVAL)).await;
        }
    }
}

impl fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prometheus").field("publisher", &self.shared.publisher).finish_non_exhaustive()
    }
}

/// The program has a recorder already: use its own handle with [`Prometheus::new`], or a [`Publisher`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecorderIsSet;

impl fmt::Display for RecorderIsSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the program has a recorder of metrics already, and can have only one")
    }
}

impl std::error::Error for RecorderIsSet {}
