//! One run of a check, whatever it does.

use std::{
    any::Any,
    error::Error,
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use portcullis_core::{Verdict, health::Level};

use super::{AnyAsk, Asked, Reading};
use crate::{BoxError, protocol::judge_error};

/// Longer messages are cut: they go into every document.
const MOST_TOLD: usize = 500;

/// How a run of a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It said how well it is.
    Success,
    /// It failed.
    Failure,
    /// Its time was over.
    Timeout,
    /// It panicked.
    Panic,
    /// It was refused by a policy on its way, and says nothing.
    Refused,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Success, Self::Failure, Self::Timeout, Self::Panic, Self::Refused];

    /// The outcome's word, as it stands in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Timeout => "timeout",
            Self::Panic => "panic",
            Self::Refused => "refused",
        }
    }
}

/// What a run learned.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    /// What a [`Success`](Outcome::Success) said.
    pub(crate) level: Level,
    pub(crate) message: Option<Arc<str>>,
}

impl Answer {
    fn read(reading: Reading) -> Self {
        let message = reading.message.map(|message| cut(&message));
        Self { outcome: Outcome::Success, level: reading.level, message }
    }

    fn bad(outcome: Outcome, message: &str) -> Self {
        Self { outcome, level: Level::Critical, message: Some(cut(message)) }
    }

    /// What an error says.
    fn of(error: &(dyn Error + 'static)) -> Self {
        let outcome = match judge_error(error) {
            _ if error.is::<Refused>() => Outcome::Refused,
            Verdict::Ignored => Outcome::Refused,
            Verdict::Success | Verdict::Failure(_) => Outcome::Failure,
        };
        Self::bad(outcome, &error.to_string())
    }

    fn of_result(result: Result<Reading, BoxError>) -> Self {
        result.map_or_else(|error| Self::of(&*error), Self::read)
    }

    fn panicked(panic: &(dyn Any + Send)) -> Self {
        let said = panic.downcast_ref::<&str>().copied();
        let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::bad(Outcome::Panic, &format!("the check panicked: {}", said.unwrap_or("it did not say why")))
    }
}

fn cut(message: &str) -> Arc<str> {
    match message.char_indices().nth(MOST_TOLD) {
        Some((at, _)) => message.get(..at).unwrap_or_default().into(),
        None => message.into(),
    }
}

/// Asks once. It ends in time, and never panics: neither when the check is asked, nor while it runs, nor when it is
/// dropped because its time is over.
pub(crate) async fn run(check: &dyn AnyAsk, limit: Duration) -> Answer {
    let mut asked = match catch_unwind(AssertUnwindSafe(|| check.ask_boxed())) {
        Ok(asked) => asked,
        Err(panic) => return Answer::panicked(&*panic),
    };
    let ended = tokio::time::timeout(limit, caught(&mut asked)).await;
    let answer = ended
        .unwrap_or_else(|_elapsed| Answer::bad(Outcome::Timeout, &format!("no answer within {limit:?}")));
    // What it holds may panic too.
    match catch_unwind(AssertUnwindSafe(|| drop(asked))) {
        Ok(()) => answer,
        Err(panic) => Answer::panicked(&*panic),
    }
}

/// The answer, also of a check that panics, or whose error does while it is written down.
async fn caught(asked: &mut Asked<'_>) -> Answer {
    poll_fn(|cx| {
        let poll = || asked.as_mut().poll(cx).map(Answer::of_result);
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|panic| Poll::Ready(Answer::panicked(&*panic)))
    })
    .await
}

/// It was refused or cancelled on its way, by whom is not known.
#[derive(Debug)]
pub(crate) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused or cancelled on its way")
    }
}

impl Error for Refused {}
