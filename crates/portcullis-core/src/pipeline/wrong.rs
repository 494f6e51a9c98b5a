//! Which policies do not go together.

use std::{error::Error, fmt};

use super::{Budget, Facts, Part, Place, Repeats, Side, What, show::ShowTime};
use crate::Name;

/// A policy, by its place and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its place.
    pub place: Place,
    /// Its name.
    pub name: Name,
}

impl Named {
    pub(super) fn of(part: &Part) -> Self {
        Self { place: part.place, name: part.name.clone() }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} '{}'", self.place, self.name)
    }
}

/// Policies that do not go together, and why.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Wrong {
    /// There is nothing in it.
    Empty(Side),
    /// Two policies want the same place.
    Twice(Named, Named),
    /// It has no place on this side.
    OtherSide {
        /// The policy.
        part: Named,
        /// Where it should stand.
        side: Side,
        /// Why it cannot.
        why: &'static str,
    },
    /// An attempt may take longer than the call.
    AttemptBeyondDeadline {
        /// The timeout of an attempt.
        attempt: Named,
        /// That of the call.
        deadline: Named,
        /// What is wrong with their limits.
        why: String,
    },
    /// Hedges are sent beside calls of which nobody knows whether they may be made twice.
    UnsafeHedge(Named),
    /// Retries and hedges have budgets that do not know each other.
    BudgetsApart(Named, Named),
    /// Retries and hedges count each call twice towards the budget that they share.
    CountedTwice {
        /// The retry.
        retry: Named,
        /// The hedge below it.
        hedge: Named,
        /// Their budget.
        budget: Name,
    },
}

impl Wrong {
    /// The policy that cannot stay as it is, unless there is none at all.
    pub fn first(&self) -> Option<Named> {
        match self {
            Self::Empty(_) => None,
            Self::Twice(first, _) | Self::BudgetsApart(first, _) | Self::UnsafeHedge(first) => {
                Some(first.clone())
            }
            Self::OtherSide { part, .. } => Some(part.clone()),
            Self::AttemptBeyondDeadline { attempt, .. } => Some(attempt.clone()),
            Self::CountedTwice { retry, .. } => Some(retry.clone()),
        }
    }

    /// The policy that it does not go together with, when it is another.
    pub fn second(&self) -> Option<Named> {
        match self {
            Self::Twice(_, second) | Self::BudgetsApart(_, second) => Some(second.clone()),
            Self::AttemptBeyondDeadline { deadline, .. } => Some(deadline.clone()),
            Self::CountedTwice { hedge, .. } => Some(hedge.clone()),
            Self::Empty(_) | Self::OtherSide { .. } | Self::UnsafeHedge(_) => None,
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(side) => write!(f, "a {side} pipeline without a policy does nothing"),
            Self::Twice(first, second) => write!(
                f,
                "{first} and {second} have one place: one of them would do nothing that the other does not"
            ),
            Self::OtherSide { part, side, why } => {
                write!(f, "{part} has no place in a {side} pipeline: {why}")
            }
            Self::AttemptBeyondDeadline { attempt, deadline, why } => {
                write!(f, "{attempt} does not go with {deadline}: {why}")
            }
            Self::UnsafeHedge(hedge) => write!(
                f,
                "{hedge} can send nothing: nobody says which calls may be made twice; give it as a layer that is \
                 `idempotent`, or speak HTTP or gRPC, where requests say it"
            ),
            Self::BudgetsApart(retry, hedge) => write!(
                f,
                "{retry} does not go with {hedge}: each has a budget that does not know of the other's attempts, and \
                 the two multiply; give the hedge the retry's `budget().withdraw_only()`"
            ),
            Self::CountedTwice { retry, hedge, budget } => write!(
                f,
                "{retry} does not go with {hedge}: both count calls towards the budget '{budget}', which would allow \
                 twice as much; give the hedge the budget `withdraw_only`"
            ),
        }
    }
}

impl Error for Wrong {}

/// Whether these policies, in any order, can be one pipeline.
///
/// # Errors
///
/// The first that cannot, from the outside to the inside.
pub fn check(side: Side, parts: &[Part]) -> Result<(), Wrong> {
    if parts.is_empty() {
        return Err(Wrong::Empty(side));
    }
    let mut parts: Vec<_> = parts.iter().collect();
    parts.sort_by_key(|part| part.place);
    for part in &parts {
        if let Some(why) = part.place.not_on(side) {
            return Err(Wrong::OtherSide { part: Named::of(part), side, why });
        }
    }
    for two in parts.windows(2) {
        if two[0].place == two[1].place {
            return Err(Wrong::Twice(Named::of(two[0]), Named::of(two[1])));
        }
    }
    times(&parts)?;
    repeats(&parts)
}

/// The part at a place, unless it is disabled.
fn at<'a>(parts: &[&'a Part], place: Place) -> Option<&'a Part> {
    parts.iter().copied().find(|part| part.place == place && part.facts.is_there())
}

fn times(parts: &[&Part]) -> Result<(), Wrong> {
    let (Some(attempt), Some(deadline)) = (at(parts, Place::AttemptTimeout), at(parts, Place::Deadline))
    else {
        return Ok(());
    };
    match (&attempt.facts.what, &deadline.facts.what) {
        (What::Timeout { limit: one, .. }, What::Timeout { limit: all, .. }) if one > all => {
            let why = format!(
                "its limit of {} is longer than the {} of the whole call",
                ShowTime(*one),
                ShowTime(*all)
            );
            let (attempt, deadline) = (Named::of(attempt), Named::of(deadline));
            Err(Wrong::AttemptBeyondDeadline { attempt, deadline, why })
        }
        _ => Ok(()),
    }
}

fn repeats(parts: &[&Part]) -> Result<(), Wrong> {
    let Some(hedge) = at(parts, Place::Hedge) else {
        return Ok(());
    };
    if hedge.repeats == Repeats::Unknown {
        return Err(Wrong::UnsafeHedge(Named::of(hedge)));
    }
    let Some(retry) = at(parts, Place::Retry) else {
        return Ok(());
    };
    let (Some(first), Some(second)) = (budget(&retry.facts), budget(&hedge.facts)) else {
        return Ok(());
    };
    let (retry, hedge) = (Named::of(retry), Named::of(hedge));
    if first.id.is_none() || second.id.is_none() {
        return Ok(());
    }
    if first.id != second.id {
        return Err(Wrong::BudgetsApart(retry, hedge));
    }
    if first.counts_calls && second.counts_calls {
        return Err(Wrong::CountedTwice { retry, hedge, budget: first.name.clone() });
    }
    Ok(())
}

pub(super) fn budget(facts: &Facts) -> Option<&Budget> {
    match &facts.what {
        What::Retry { budget, .. } | What::Hedge { budget, .. } => Some(budget),
        _ => None,
    }
}
