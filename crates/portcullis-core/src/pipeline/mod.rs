//! The order of policies, what they come to together, and which of them do not go together.
//!
//! A pipeline is a list of [`Part`]s, each with the settings that matter to the others ([`Facts`]). From them follow the
//! [order](Place), what [cannot be](check), and an [`Explanation`]: the longest that a call can take, how many attempts
//! it can become, and what can never happen. All of it is arithmetic; who builds the layers is the crate `portcullis`.
//!
//! ```
//! use portcullis_core::pipeline::{Facts, Part, Place, Repeats, Side, What, check};
//! use std::time::Duration;
//!
//! let timeout = |place, secs| Part {
//!     place,
//!     name: "inventory".into(),
//!     facts: Facts::of(What::Timeout { limit: Duration::from_secs(secs), adaptive: false }),
//!     repeats: Repeats::Unknown,
//! };
//! let parts = [timeout(Place::AttemptTimeout, 5), timeout(Place::Deadline, 2)];
//! let wrong = check(Side::Client, &parts).unwrap_err();
//! assert_eq!((wrong.first().unwrap().place, wrong.second().unwrap().place), (Place::AttemptTimeout, Place::Deadline));
//! ```

mod explain;
mod facts;
mod never;
mod place;
mod settings;
mod show;
mod worst;
mod wrong;

pub use explain::{Explanation, Step, explain};
pub use facts::{BreakerRule, Budget, Facts, Part, Repeats, Waits, What};
pub use never::{Never, never};
pub use place::{Place, Side};
pub use worst::{Amplification, Latency, amplification, latency};
pub use wrong::{Named, Wrong, check};

#[cfg(all(test, not(portcullis_loom)))]
mod tests;
