//! A clock of its own process, because its origin is set once.

use std::time::Duration;

use portcullis::{Time, clock};

/// The first look at the clock may be that of a test whose virtual time has run far ahead.
#[test]
fn a_first_look_from_the_virtual_future_stops_no_other_clock() {
    let paused =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    paused.block_on(async {
        tokio::time::advance(Duration::from_secs(7 * 24 * 60 * 60)).await;
        assert!(clock::now() > Time::ORIGIN);
    });

    assert!(clock::now() > Time::ORIGIN, "a clock that stands at its origin does not go");
}
