//! Whatever the rules are: worse parts never make a better whole.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{Name, PolicyKind};

const KINDS: [PolicyKind; 5] =
    [PolicyKind::Check, PolicyKind::Probe, PolicyKind::Breaker, PolicyKind::Bulkhead, PolicyKind::Drain];
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn level() -> impl Strategy<Value = Level> {
    select(Level::ALL.to_vec())
}

fn effect() -> impl Strategy<Value = Effect> {
    prop::array::uniform3(level()).prop_map(|mut levels| {
        levels.sort_unstable();
        Effect::table(levels[0], levels[1], levels[2]).unwrap()
    })
}

fn grades() -> impl Strategy<Value = Grades> {
    (vec(0.01..=1.0_f64, 3), prop::array::uniform3(any::<bool>())).prop_map(|(mut at, there)| {
        at.sort_by(f64::total_cmp);
        let of = |n: usize| there[n].then_some(at[n]);
        Grades { warning: of(0), degraded: of(1), critical: of(2) }
    })
}

fn special() -> impl Strategy<Value = Override> {
    (option::of(select(KINDS.to_vec())), option::of(select(NAMES.to_vec())), effect())
        .prop_map(|(kind, name, effect)| Override { kind, name: name.map(Name::from), effect })
}

fn rules() -> impl Strategy<Value = Rules> {
    (effect(), effect(), effect(), grades(), vec(special(), 0..4)).prop_map(
        |(critical_checks, other_checks, policies, share, overrides)| Rules {
            critical_checks,
            other_checks,
            policies,
            share,
            overrides,
        },
    )
}

fn part() -> impl Strategy<Value = Part<'static>> {
    (select(NAMES.to_vec()), select(KINDS.to_vec()), level(), any::<bool>())
        .prop_map(|(name, kind, level, critical)| Part { name, kind, level, critical })
}

/// As one would do it by hand: all effects, and the share, looked up one by one.
fn naive(rules: &Rules, parts: &[Part<'_>]) -> Level {
    let mut all = vec![Level::Healthy];
    for part in parts {
        let special = rules.overrides.iter().find(|rule| {
            let kind = rule.kind.is_none() || rule.kind == Some(part.kind);
            kind && (rule.name.is_none() || rule.name.as_deref() == Some(part.name))
        });
        let check = [PolicyKind::Check, PolicyKind::Probe].contains(&part.kind);
        let usual = match (check, part.critical) {
            (true, true) => rules.critical_checks,
            (true, false) => rules.other_checks,
            (false, _) => rules.policies,
        };
        all.push(special.map_or(usual, |special| special.effect).of(part.level));
    }
    let policies: Vec<_> =
        parts.iter().filter(|part| ![PolicyKind::Check, PolicyKind::Probe].contains(&part.kind)).collect();
    let bad = policies.iter().filter(|part| part.level >= Level::Degraded).count();
    if bad > 0 {
        all.push(rules.share.level(bad as f64 / policies.len() as f64));
    }
    all.into_iter().max().unwrap()
}

proptest! {
    #[test]
    fn the_whole_is_as_one_would_find_by_hand(rules in rules(), parts in vec(part(), 0..12)) {
        prop_assert_eq!(rules.check(), Ok(()));
        prop_assert_eq!(rules.overall(parts.iter().copied()), naive(&rules, &parts));
    }

    #[test]
    fn a_worse_part_never_makes_a_better_whole(
        rules in rules(), parts in vec(part(), 1..12), at in any::<prop::sample::Index>(), worse in level(),
    ) {
        let mut after = parts.clone();
        let part = &mut after[at.index(parts.len())];
        part.level = part.level.max(worse);
        prop_assert!(rules.overall(after) >= rules.overall(parts));
    }

    #[test]
    fn what_is_healthy_makes_a_healthy_whole(rules in rules(), parts in vec(part(), 0..12)) {
        let well = parts.into_iter().map(|part| Part { level: Level::Healthy, ..part });
        prop_assert_eq!(rules.overall(well), Level::Healthy);
    }

    #[test]
    fn the_order_does_not_matter(rules in rules(), parts in vec(part(), 0..12)) {
        prop_assert_eq!(rules.overall(parts.iter().rev().copied()), rules.overall(parts.iter().copied()));
    }
}

#[test]
fn by_default_only_critical_checks_make_the_whole_critical() {
    let overall = |kind, critical| {
        Rules::default().overall([Part { name: "x", kind, level: Level::Critical, critical }])
    };
    assert_eq!(overall(PolicyKind::Check, true), Level::Critical);
    assert_eq!(overall(PolicyKind::Check, false), Level::Degraded);
    assert_eq!(overall(PolicyKind::Probe, false), Level::Degraded);
    assert_eq!(Rules::default().overall([]), Level::Healthy);
}

#[test]
fn a_share_outside_its_range_is_an_error() {
    let rules = Rules { share: Grades { degraded: Some(1.5), ..Grades::default() }, ..Rules::default() };
    assert_eq!(rules.check().unwrap_err().field(), "health.share.degraded");
    let rules = Rules { share: Grades { warning: Some(0.0), ..Grades::default() }, ..Rules::default() };
    assert_eq!(rules.check().unwrap_err().field(), "health.share.warning");
}
