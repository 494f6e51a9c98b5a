//! What the tests share.

use std::time::Duration;

use portcullis::{
    LoadShed, Priority, Registry, Rejection,
    shed::{Arrival, LoadShedBuilder, ShedTicket},
};

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// In a registry of its own, with the same luck each time.
pub(crate) fn shed() -> LoadShedBuilder {
    LoadShed::builder("api").seed(1).registry(&Registry::new())
}

/// Lets every other task run until it waits; no time goes by.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// A runtime on which everything is late by so much for so long: a clock that jumps is what a task sees that was
/// not run.
pub(crate) async fn lag(late: Duration, lasting: Duration) {
    let until = tokio::time::Instant::now() + lasting;
    while tokio::time::Instant::now() < until {
        tokio::time::advance(ms(10) + late).await;
        settle().await;
    }
}

pub(crate) fn admit(shed: &LoadShed, class: Priority) -> Result<ShedTicket, Rejection> {
    shed.try_admit_as(&Arrival::of(class))
}

/// How many of a hundred calls of each class are refused, the lowest class first.
pub(crate) fn refused(shed: &LoadShed) -> [usize; Priority::COUNT] {
    Priority::ALL.map(|class| (0..100).filter(|_| admit(shed, class).is_err()).count())
}

/// An overload by waits, with calls of all classes coming all the time.
pub(crate) async fn overload(shed: &LoadShed, lasting: Duration) {
    let until = tokio::time::Instant::now() + lasting;
    while tokio::time::Instant::now() < until {
        refused(shed);
        lag(ms(30), ms(50)).await;
    }
}
