use std::{collections::VecDeque, time::Duration};

/// What a scripted call waits for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wait {
    Yield(u32),
    Delay(Duration),
    Held,
    Forever,
}

/// How a scripted service treats one call: what it waits for, and then what it answers.
///
/// ```
/// use std::time::Duration;
/// use portcullis_testkit::script::Step;
///
/// // Pending twice, then half a second, then until the handle releases it, then 7.
/// let step: Step<u64, std::io::Error> = Step::ok(7).yields(2).after(Duration::from_millis(500)).held();
/// ```
#[derive(Debug, Clone)]
pub struct Step<Res, Err> {
    pub(super) waits: VecDeque<Wait>,
    pub(super) answer: Option<Result<Res, Err>>,
}

impl<Res, Err> Step<Res, Err> {
    /// Answers with a response.
    pub fn ok(response: Res) -> Self {
        Self::answer(Ok(response))
    }

    /// Answers with an error.
    pub fn err(error: Err) -> Self {
        Self::answer(Err(error))
    }

    /// Answers with a result.
    pub fn answer(result: Result<Res, Err>) -> Self {
        Self { waits: VecDeque::new(), answer: Some(result) }
    }

    /// Never answers.
    pub fn hang() -> Self {
        Self { waits: VecDeque::from([Wait::Forever]), answer: None }
    }

    /// Then is pending `times` times, each time woken at once.
    #[must_use]
    pub fn yields(self, times: u32) -> Self {
        self.wait(Wait::Yield(times))
    }

    /// Then waits for `delay`, in tokio's time, counted from the poll that gets there.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        self.wait(Wait::Delay(delay))
    }

    /// Then waits until [`Handle::release`](super::Handle::release).
    #[must_use]
    pub fn held(self) -> Self {
        self.wait(Wait::Held)
    }

    fn wait(mut self, wait: Wait) -> Self {
        self.waits.push_back(wait);
        self
    }
}
