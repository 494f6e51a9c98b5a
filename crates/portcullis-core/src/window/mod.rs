//! What the last calls, or the calls of the last minute, came to.
//!
//! | | [`CountWindow`] | [`TimeWindow`] |
//! |---|---|---|
//! | holds | the last so many calls | the calls of a span of time |
//! | is | exact, call by call | exact, bucket by bucket |
//! | memory | 4 bytes for each marked call in it | constant |
//!
//! Both are told of every bad call as it ends, and neither of each good one: successes are counted
//! elsewhere, and arrive as a total. Neither knows a clock, a lock or a thread. Not for a count over a
//! process's life: that is a number, and needs no window.
//!
//! ```
//! use portcullis_core::window::CountWindow;
//!
//! let mut failed = CountWindow::new(10);
//! failed.mark(3, 0); // the fourth call, after three that succeeded
//! assert_eq!((failed.count(4), failed.calls(4)), (1, 4));
//! // Nine more calls succeed, and the failure is the oldest of the last ten; after one more it is gone.
//! assert_eq!((failed.count(13), failed.calls(13)), (1, 10));
//! assert_eq!((failed.count(14), failed.calls(14)), (0, 10));
//! ```

mod count;
mod counts;
mod time;

pub use count::CountWindow;
pub use counts::Counts;
pub use time::TimeWindow;

/// How many kinds of call a window tells apart.
const KINDS: usize = 16;

/// Where a kind is counted; a kind that does not exist is taken for one that does, and panics nowhere.
const fn kind_index(kind: u8) -> usize {
    kind as usize % KINDS
}
