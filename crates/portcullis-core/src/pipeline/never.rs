//! What can never happen, by the settings alone.

use std::{fmt, time::Duration};

use super::{
    BreakerRule, Named, Part, Place, Repeats, What,
    show::ShowTime,
    worst::{latency, limit},
};
use crate::FailureKind;

/// Something that a policy says and that can never happen here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Never {
    /// The policy.
    pub part: Named,
    /// What it is that never happens, and why.
    pub why: String,
}

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.why)
    }
}

/// What can never happen, from the outside to the inside.
pub fn never(parts: &[Part]) -> Vec<Never> {
    let mut sorted: Vec<_> = parts.iter().filter(|part| part.facts.is_there()).collect();
    sorted.sort_by_key(|part| part.place);
    let mut found = Vec::new();
    for part in sorted {
        let why = match &part.facts.what {
            What::Timeout { limit, .. } if part.place == Place::AttemptTimeout => timeout(parts, *limit),
            What::Fallback { .. } => fallback(parts, part),
            What::Retry { .. } => retry(parts, part),
            What::Hedge { .. } => hedge(parts, part),
            What::Breaker { .. } => breaker(parts, part),
            What::InFlight { .. } | What::RateLimit { .. } => line(parts, part),
            _ => Vec::new(),
        };
        found.extend(why.into_iter().map(|why| Never { part: Named::of(part), why }));
    }
    found
}

fn timeout(parts: &[Part], one: Duration) -> Vec<String> {
    match limit(parts, Place::Deadline) {
        Some(all) if one >= all => {
            let (one, all) = (ShowTime(one), ShowTime(all));
            vec![format!("its {one} are never over before the {all} of the deadline")]
        }
        _ => Vec::new(),
    }
}

fn fallback(parts: &[Part], part: &Part) -> Vec<String> {
    let What::Fallback { kinds, refusals } = &part.facts.what else { return Vec::new() };
    let mut why = Vec::new();
    let below =
        |places: &[Place]| parts.iter().any(|part| places.contains(&part.place) && part.facts.is_there());
    if *refusals && kinds.is_empty() && !below(REFUSING) {
        why.push("it covers refusals, and nothing below refuses".into());
    }
    let only_panics = kinds.len() == 1 && kinds.contains(&FailureKind::Panic);
    if only_panics
        && !refusals
        && !below(&[Place::Executor, Place::ThreadPool, Place::Coalesce, Place::Chaos])
    {
        why.push("it covers panics, and nothing below makes failures of them".into());
    }
    why
}

/// Those that refuse calls for reasons of their own.
const REFUSING: &[Place] = &[
    Place::Coalesce,
    Place::LoadShed,
    Place::Throttle,
    Place::RateLimit,
    Place::Breaker,
    Place::Bulkhead,
    Place::AdaptiveLimit,
    Place::Executor,
    Place::ThreadPool,
];

fn retry(parts: &[Part], part: &Part) -> Vec<String> {
    let What::Retry { max_attempts, waits, total_time, .. } = &part.facts.what else { return Vec::new() };
    let mut why = Vec::new();
    if *max_attempts == 1 {
        why.push("one attempt is all it makes".into());
        return why;
    }
    if part.repeats == Repeats::Unknown {
        why.push("nobody says which calls may be made twice: only what was never sent is made again".into());
    }
    let Some(deadline) = limit(parts, Place::Deadline) else { return why };
    if total_time.is_some_and(|time| time >= deadline) {
        why.push(format!("its total time never ends before the deadline's {}", ShowTime(deadline)));
    }
    let Some(waits) = *waits else { return why };
    if waits.first >= deadline {
        let (first, deadline) = (ShowTime(waits.first), ShowTime(deadline));
        why.push(format!("its first wait of at least {first} never fits into the deadline of {deadline}"));
        return why;
    }
    match latency(parts).attempt {
        None => why.push(format!(
            "an attempt that hangs uses up the deadline of {}: nothing ends it before, and it is not made again",
            ShowTime(deadline)
        )),
        Some(one) => why.extend(late_attempts(*max_attempts, one, waits.shortest, deadline)),
    }
    why
}

/// The first attempt that never begins when those before it take as long as they can.
fn late_attempts(most: u32, one: Duration, waits: Duration, deadline: Duration) -> Option<String> {
    let gaps = most.saturating_sub(1).max(1);
    let begins = |attempt: u32| one.saturating_add(waits / gaps).saturating_mul(attempt - 1);
    let late = (2..=most).find(|attempt| begins(*attempt) >= deadline)?;
    let (one, deadline) = (ShowTime(one), ShowTime(deadline));
    Some(format!(
        "when attempts take their {one}, attempt {late} of {most} never begins within the deadline of {deadline}"
    ))
}

fn hedge(parts: &[Part], part: &Part) -> Vec<String> {
    let What::Hedge { delay: Some((least, _)), .. } = part.facts.what else { return Vec::new() };
    let over = |place, what: &str| {
        let limit = limit(parts, place)?;
        let (delay, ends) = (ShowTime(least), ShowTime(limit));
        (least >= limit)
            .then(|| format!("its delay of {delay} is never over before {what} ends, after {ends}"))
    };
    over(Place::AttemptTimeout, "the attempt")
        .or_else(|| over(Place::Deadline, "the call"))
        .into_iter()
        .collect()
}

fn breaker(parts: &[Part], part: &Part) -> Vec<String> {
    let What::Breaker { rules, permits, .. } = &part.facts.what else { return Vec::new() };
    let mut why = Vec::new();
    if rules.is_empty() {
        why.push("it has no rule that could open it".into());
    }
    for rule in rules {
        why.extend(unmet(parts, *rule));
    }
    if let Some((name, room)) = room(parts).filter(|(_, room)| room < permits) {
        why.push(format!("of its {permits} probes at a time, {name} lets {room} through"));
    }
    why
}

/// The name and the size of the smallest limit on calls in flight below the breaker.
fn room(parts: &[Part]) -> Option<(Named, u32)> {
    let limits = parts.iter().filter(|part| part.facts.holds()).filter_map(|part| match part.facts.what {
        What::InFlight { max, .. } | What::AdaptiveLimit { max, .. } => Some((Named::of(part), max)),
        _ => None,
    });
    limits.min_by_key(|(_, max)| *max)
}

fn unmet(parts: &[Part], rule: BreakerRule) -> Option<String> {
    match rule {
        BreakerRule::InTime { span, minimum_calls, .. } => {
            let (by, most) = most_within(parts, span)?;
            let span = ShowTime(span);
            (most < u64::from(minimum_calls)).then(|| {
                format!("it asks for {minimum_calls} calls within {span}, and {by} lets {most} through")
            })
        }
        BreakerRule::Slow { after, .. } => {
            let one = limit(parts, Place::AttemptTimeout)?;
            let (slow, ends) = (ShowTime(after), ShowTime(one));
            (after > one).then(|| format!("no call is slower than {slow}: attempts end after {ends}"))
        }
        _ => None,
    }
}

/// How many calls the rate limit lets through within a time at most.
fn most_within(parts: &[Part], span: Duration) -> Option<(Named, u64)> {
    let part = parts.iter().find(|part| part.place == Place::RateLimit && part.facts.holds())?;
    let What::RateLimit { permits, period, burst, .. } = part.facts.what else { return None };
    let periods = span.as_secs_f64() / period.as_secs_f64().max(f64::MIN_POSITIVE);
    let most = (f64::from(permits) * periods).floor() as u64;
    Some((Named::of(part), most.saturating_add(burst.into())))
}

fn line(parts: &[Part], part: &Part) -> Vec<String> {
    let mut why = Vec::new();
    let (What::InFlight { max_queued, max_wait, .. } | What::RateLimit { max_queued, max_wait, .. }) =
        part.facts.what
    else {
        return why;
    };
    if let Some(deadline) =
        limit(parts, Place::Deadline).filter(|deadline| max_queued > 0 && max_wait >= *deadline)
    {
        let (wait, deadline) = (ShowTime(max_wait), ShowTime(deadline));
        why.push(format!("nobody waits for {wait} in its line: the deadline ends after {deadline}"));
    }
    if part.place == Place::Bulkhead {
        why.extend(never_full(parts, part));
    }
    why
}

/// A bulkhead around a smaller limit that refuses at once.
fn never_full(parts: &[Part], part: &Part) -> Option<String> {
    let What::InFlight { max, .. } = part.facts.what else { return None };
    let below = parts.iter().find(|part| part.place == Place::AdaptiveLimit && part.facts.holds())?;
    let What::AdaptiveLimit { max: most, .. } = below.facts.what else { return None };
    (max >= most)
        .then(|| format!("its {max} are never in flight: {} refuses beyond {most}", Named::of(below)))
}
