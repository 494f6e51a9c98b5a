//! What can be done to a policy, and how.

use std::time::Duration;

use portcullis::{
    Mode, PolicyKind,
    event::Audit,
    registry::{Action, Policy},
};
use serde::Deserialize;

use super::view::Seen;
use crate::{console::Shared, problem::Problem};

/// The longest isolation with an end: a day.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1000;

/// A mode, as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum WantedMode {
    Word(String),
    Percent { enforce_percent: u8 },
}

impl WantedMode {
    fn mode(&self) -> Result<Mode, Problem> {
        match self {
            Self::Word(word) => [Mode::Enforce, Mode::Shadow, Mode::Disabled]
                .into_iter()
                .find(|mode| mode.as_str() == word)
                .ok_or_else(|| not_a_mode(format!("'{word}' is no mode"))),
            Self::Percent { enforce_percent } if *enforce_percent <= 100 => {
                Ok(Mode::EnforcePercent(*enforce_percent))
            }
            Self::Percent { enforce_percent } => {
                Err(not_a_mode(format!("{enforce_percent} % are more than all")))
            }
        }
    }
}

fn not_a_mode(detail: String) -> Problem {
    Problem::field("mode", detail, "enforce, shadow, disabled or {\"enforce_percent\": 0 to 100}")
}

/// Something to be done, with all that it needs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Do(Action),
    Isolate(Duration),
    Mode(Mode),
}

impl Order {
    pub(super) fn new(word: &str, mode: Option<&WantedMode>, for_ms: Option<u64>) -> Result<Self, Problem> {
        let action = Action::from_word(word);
        let action =
            action.ok_or_else(|| Problem::not_found(format!("'{word}' cannot be done to a policy")))?;
        match (action, mode, for_ms) {
            (Action::Mode, Some(mode), None) => mode.mode().map(Self::Mode),
            (Action::Mode, None, _) => Err(not_a_mode("which mode?".into())),
            (_, Some(_), _) => {
                Err(Problem::field("mode", format!("nothing has a mode that is {word}"), "no such field"))
            }
            (Action::Isolate, _, Some(time)) if (1..=LONGEST_MS).contains(&time) => {
                Ok(Self::Isolate(Duration::from_millis(time)))
            }
            (Action::Isolate, _, Some(_)) => {
                Err(Problem::field("for_ms", "too short or too long", "1 ms to a day"))
            }
            (_, _, Some(_)) => Err(Problem::field("for_ms", format!("{word} has no time"), "no such field")),
            (other, None, None) => Ok(Self::Do(other)),
        }
    }

    fn action(self) -> Action {
        match self {
            Self::Do(action) => action,
            Self::Isolate(_) => Action::Isolate,
            Self::Mode(_) => Action::Mode,
        }
    }

    /// How it reads after "was".
    fn done(self) -> String {
        match self {
            Self::Do(Action::Trip) => "tripped".into(),
            Self::Do(Action::Isolate) => "isolated".into(),
            Self::Do(Action::Release) => "released".into(),
            Self::Do(action) => action.as_str().into(),
            Self::Isolate(time) => format!("isolated for {}", humantime::format_duration(time)),
            Self::Mode(mode) => format!("set to {mode}"),
        }
    }

    /// Does it to each of these, and tells so; nothing is done if one of them has no such thing.
    pub(super) fn give(
        self,
        console: &Shared,
        kind: PolicyKind,
        name: &str,
        seen: &[Seen],
        by: &str,
        why: &str,
    ) -> Result<(), Problem> {
        let action = self.action();
        if !seen.iter().all(|seen| seen.policy.actions().contains(&action)) {
            let detail = format!("{} '{name}' cannot be given the order {action}", kind.as_str());
            return Err(Problem::new(409, detail));
        }
        for Seen { policy, .. } in seen {
            self.apply(&**policy)?;
        }
        console.registry.audit(kind, name, Audit::new(by, &self.done()).because(why));
        Ok(())
    }

    fn apply(self, policy: &dyn Policy) -> Result<(), Problem> {
        match self {
            Self::Do(Action::Trip) => policy.trip(),
            Self::Do(Action::Reset) => policy.reset(),
            Self::Do(Action::Isolate) => policy.isolate(),
            Self::Do(Action::Release) => policy.release(),
            Self::Mode(mode) => {
                let set = policy.set_mode(mode);
                set.map_err(|error| Problem::field("mode", error.to_string(), error.allowed()))?;
            }
            Self::Isolate(time) if !policy.isolate_for(time) => {
                return Err(Problem::new(409, "its isolation has no end but a release: leave out for_ms"));
            }
            Self::Isolate(_) | Self::Do(_) => {}
        }
        Ok(())
    }
}

/// Tells of what was done to all.
pub(super) fn audit_all(console: &Shared, by: &str, done: &str, why: &str) {
    console.registry.audit_all(Audit::new(by, done).because(why));
}

/// The mode, in words; what only measures has a state for that.
pub(super) fn mode(policy: &dyn Policy) -> Option<String> {
    policy.mode().map(|mode| match mode {
        Mode::EnforcePercent(percent) => format!("enforce {percent}%"),
        other => other.as_str().into(),
    })
}

pub(super) fn actions(policy: &dyn Policy) -> Vec<&'static str> {
    policy.actions().iter().map(|action| action.as_str()).collect()
}
