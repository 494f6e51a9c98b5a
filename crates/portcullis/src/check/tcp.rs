//! Whether a connection can be made.

use std::sync::Arc;

use portcullis_core::{ConfigError, health::Grades};
use tokio::net::TcpStream;

use super::{Ask, Reading, slow};
use crate::{BoxError, clock};

/// Whether a TCP connection can be made. Its name is looked up each time, and all of its addresses are tried.
///
/// That somebody listens says little of how well it is: where there is a question to ask, ask that.
///
/// ```
/// use portcullis::{HealthMonitor, Registry, check::Tcp};
///
/// let monitor = HealthMonitor::new(&Registry::new());
/// monitor.check("database").critical(true).spawn(Tcp::new("db.internal:5432")?)?;
///
/// let error = Tcp::new("db.internal").unwrap_err();
/// assert_eq!(error.field(), "tcp.address");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tcp {
    address: Arc<str>,
    slow: Grades,
}

impl Tcp {
    /// A check of this address: a name or an IP address, and a port, such as `"db.internal:5432"`.
    ///
    /// # Errors
    ///
    /// It has no port: `tcp.address`.
    pub fn new(address: impl Into<Arc<str>>) -> Result<Self, ConfigError> {
        let address = address.into();
        let parts = address.rsplit_once(':');
        if parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()) {
            return Ok(Self { address, slow: Grades::default() });
        }
        Err(ConfigError::new("tcp.address", address, "a host and a port, such as \"db.internal:5432\""))
    }

    /// From how many seconds on it is not well (default never); 0 to 3600.
    ///
    /// # Errors
    ///
    /// The first outside its range, or below a milder one: `tcp.slow.warning` and so on.
    pub fn slow(self, slow: Grades) -> Result<Self, ConfigError> {
        slow.check(["tcp.slow.warning", "tcp.slow.degraded", "tcp.slow.critical"], 0.0..=3600.0)?;
        Ok(Self { slow, ..self })
    }
}

impl Ask for Tcp {
    async fn ask(&self) -> Result<Reading, BoxError> {
        let before = clock::now();
        match TcpStream::connect(&*self.address).await {
            Ok(_connection) => Ok(slow(&self.slow, before)),
            Err(error) => Err(format!("{}: {error}", self.address).into()),
        }
    }
}
