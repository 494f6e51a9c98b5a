//! An explanation, for people and for machines.

use std::{fmt, ops::Deref};

use portcullis_core::pipeline;

/// What a pipeline is and does at a moment.
///
/// Shown, it is a text for people. With the feature `serde` it is serialized for machines; times are in milliseconds, and
/// what has no bound is `null`:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use portcullis::{Pipeline, Registry};
/// use std::time::Duration;
///
/// let pipeline = Pipeline::client("shop").registry(&Registry::new()).deadline(Duration::from_secs(1)).build()?;
/// assert_eq!(
///     serde_json::to_value(pipeline.explain())?,
///     serde_json::json!({
///         "name": "shop",
///         "side": "client",
///         "order": [{
///             "place": "deadline",
///             "name": "shop",
///             "settings": "1s",
///             "mode": "enforce",
///             "why": "times everything below: waits in lines, and all attempts together",
///         }],
///         "latency": { "attempt_ms": null, "all_attempts_ms": null, "call_ms": 1000.0 },
///         "amplification": { "one_call": 1, "many_calls": 1.0, "besides_per_second": 0 },
///         "never": [],
///     }),
/// );
/// # }
/// # Ok::<(), portcullis::BoxError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation(pipeline::Explanation);

impl Explanation {
    pub(super) fn new(explanation: pipeline::Explanation) -> Self {
        Self(explanation)
    }
}

impl Deref for Explanation {
    type Target = pipeline::Explanation;

    fn deref(&self) -> &pipeline::Explanation {
        &self.0
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "serde")]
mod form {
    use std::time::Duration;

    use portcullis_core::pipeline;
    use serde::{Serialize, Serializer};

    #[derive(Serialize)]
    struct Whole<'a> {
        name: &'a str,
        side: &'static str,
        order: Vec<Step<'a>>,
        latency: Latency,
        amplification: Amplification,
        never: Vec<Never<'a>>,
    }

    #[derive(Serialize)]
    struct Step<'a> {
        place: &'static str,
        name: &'a str,
        settings: &'a str,
        mode: &'static str,
        why: &'static str,
    }

    #[derive(Serialize)]
    struct Latency {
        attempt_ms: Option<f64>,
        all_attempts_ms: Option<f64>,
        call_ms: Option<f64>,
    }

    #[derive(Serialize)]
    struct Amplification {
        one_call: u64,
        many_calls: Option<f64>,
        besides_per_second: u32,
    }

    #[derive(Serialize)]
    struct Never<'a> {
        place: &'static str,
        name: &'a str,
        why: &'a str,
    }

    fn millis(time: Option<Duration>) -> Option<f64> {
        time.map(|time| time.as_secs_f64() * 1e3)
    }

    fn step(step: &pipeline::Step) -> Step<'_> {
        let (place, mode) = (step.place.as_str(), step.mode.as_str());
        Step { place, name: &step.name, settings: &step.settings, mode, why: step.why }
    }

    fn never(never: &pipeline::Never) -> Never<'_> {
        Never { place: never.part.place.as_str(), name: &never.part.name, why: &never.why }
    }

    impl Serialize for super::Explanation {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let pipeline::Latency { attempt, all_attempts, call } = self.latency;
            let (attempt_ms, all_attempts_ms, call_ms) =
                (millis(attempt), millis(all_attempts), millis(call));
            let pipeline::Amplification { one_call, many_calls, besides_per_second } = self.amplification;
            let whole = Whole {
                name: &self.name,
                side: self.side.as_str(),
                order: self.order.iter().map(step).collect(),
                latency: Latency { attempt_ms, all_attempts_ms, call_ms },
                amplification: Amplification { one_call, many_calls, besides_per_second },
                never: self.never.iter().map(never).collect(),
            };
            whole.serialize(to)
        }
    }
}
