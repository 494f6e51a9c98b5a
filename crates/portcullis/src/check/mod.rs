//! Checks: what can be asked whether it is well.
//!
//! [`Ask`] is a check: any function whose future says how it went is one, and so are the ready-made ones.
//! [Probes](crate::probe) and the [health monitor](crate::monitor) ask them, again and again, with a time limit and
//! whatever a check may do: hang, panic, answer late.
//!
//! | check | asks | feature |
//! |---|---|---|
//! | a function | anything | |
//! | [`Blocking`] | a function that blocks, on a thread of its own | |
//! | [`Lag`] | how late the tokio runtime is | |
//! | `Http` | an HTTP service | `http` |
//! | `Http::get` | an HTTP address | `checks` and `hyper` |
//! | `Tcp` | whether a connection can be made | `checks` |
//! | `Disk` | how full a file system is | `checks` |
//! | `Memory` | this process, its control groups, the machine's stalls | `checks` |
//! | `GrpcCheck` of `portcullis-tonic` | `grpc.health.v1` | `health` |
//!
//! ```
//! use portcullis::{Level, check::Reading};
//!
//! // What a function may say when it went well: nothing, a level, or a level and why.
//! let nothing: Reading = ().into();
//! let behind: Reading = (Level::Warning, "3 s behind").into();
//! assert_eq!((nothing.level, behind.level), (Level::Healthy, Level::Warning));
//! ```

mod ask;
mod blocking;
#[cfg(feature = "checks")]
mod disk;
#[cfg(feature = "http")]
mod http;
mod lag;
#[cfg(feature = "checks")]
mod memory;
#[cfg(all(feature = "checks", feature = "hyper"))]
mod plain;
mod reading;
mod run;
#[cfg(feature = "checks")]
mod tcp;

pub use ask::Ask;
pub use blocking::Blocking;
#[cfg(feature = "checks")]
pub use disk::Disk;
#[cfg(feature = "http")]
pub use http::Http;
pub use lag::Lag;
#[cfg(feature = "checks")]
pub use memory::Memory;
#[cfg(all(feature = "checks", feature = "hyper"))]
pub use plain::{Answer as PlainAnswer, Plain};
pub use reading::Reading;
pub use run::Outcome;
#[cfg(feature = "checks")]
pub use tcp::Tcp;

pub(crate) use ask::{AnyAsk, Asked};
pub(crate) use run::{Answer, Refused, run};

/// What an answer says that took since `before`.
#[cfg(any(feature = "checks", feature = "http"))]
fn slow(grades: &portcullis_core::health::Grades, before: portcullis_core::Time) -> Reading {
    let took = crate::clock::now().since(before);
    match grades.level(took.as_secs_f64()) {
        crate::Level::Healthy => Reading::default(),
        level => (level, format!("answered after {took:.1?}")).into(),
    }
}
