//! An upstream for examples and their tests: it fails, hangs, dies and comes back as it is told.
//!
//! [`Upstream`] is an HTTP service whose moods are chosen at run time, and which notes what it was
//! asked. [`Door`] is the port below it, for any axum or tonic router: a server that is killed, with all
//! its connections, and started again at the same address. [`soon`] and [`until`] wait for what must
//! happen, and fail instead of hanging.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use upstream::Upstream;
//!
//! let mut upstream = Upstream::start()?;
//! upstream.fail_next(2); // two answers are 503
//! upstream.kill().await?; // refuses connections
//! upstream.restart()?;
//! assert!(upstream.seen().is_empty());
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]

mod door;
mod moods;
mod wait;

pub use door::Door;
pub use moods::Upstream;
pub use wait::{soon, until};
