//! How the levels of parts make the level of the whole.

use super::{Effect, Grades, Level};
use crate::{ConfigError, Name, PolicyKind};

/// What may be less than well: a check, or a policy, which is a check by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its kind. [Checks and probes](Part::is_check) are checks, everything else is a policy.
    pub kind: PolicyKind,
    /// How well it is.
    pub level: Level,
    /// Whether the service cannot work without it; only checks can be.
    pub critical: bool,
}

impl Part<'_> {
    /// Whether it is a check, and not a policy.
    pub const fn is_check(&self) -> bool {
        matches!(self.kind, PolicyKind::Check | PolicyKind::Probe)
    }
}

/// How the levels of parts make the level of the whole: data, for [`overall`](Self::overall), which is a pure
/// function. The whole is as bad as the worst effect of any part.
///
/// Whatever the rules are, a part that is worse never makes the whole better, and what is healthy says nothing.
/// Whether the process lives is no question of these: it depends on nothing else.
///
/// ```
/// use portcullis_core::{Name, PolicyKind, health::{Effect, Grades, Level, Override, Part, Rules}};
///
/// let part = |name, kind, level| Part { name, kind, level, critical: false };
/// let parts = [
///     part("database", PolicyKind::Check, Level::Critical),
///     part("search", PolicyKind::Breaker, Level::Degraded),
///     part("prices", PolicyKind::Breaker, Level::Healthy),
/// ];
/// assert_eq!(Rules::default().overall(parts), Level::Degraded, "the service can do without");
///
/// let rules = Rules {
///     // Half of the policies refuse: that is more than each of them alone.
///     share: Grades { critical: Some(0.5), ..Grades::default() },
///     overrides: vec![Override::of_name("search", Effect::NONE)],
///     ..Rules::default()
/// };
/// assert_eq!(rules.overall(parts), Level::Critical);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// What a check makes of the whole without which the service cannot work (default: as it is).
    pub critical_checks: Effect,
    /// What any other check makes of the whole (default: degraded at most).
    pub other_checks: Effect,
    /// What a policy makes of the whole (default: as it is; an open breaker is degraded).
    pub policies: Effect,
    /// What the share of the policies that are degraded or worse makes of the whole (default: nothing); 0 to 1,
    /// and more than 0.
    pub share: Grades,
    /// What single parts, or all of a kind, make of the whole instead; the first that fits is taken. None of them
    /// touches the `share`. At most 10,000.
    pub overrides: Vec<Override>,
}

/// More than anybody writes by hand, and few enough to be looked through for every part.
const MOST_OVERRIDES: usize = 10_000;

/// The rule for some parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Of this kind only.
    pub kind: Option<PolicyKind>,
    /// Of this name only.
    pub name: Option<Name>,
    /// What each makes of the whole.
    pub effect: Effect,
}

impl Override {
    /// For all parts of this name.
    pub fn of_name(name: impl Into<Name>, effect: Effect) -> Self {
        Self { kind: None, name: Some(name.into()), effect }
    }

    /// For all parts of this kind.
    pub fn of_kind(kind: PolicyKind, effect: Effect) -> Self {
        Self { kind: Some(kind), name: None, effect }
    }

    fn fits(&self, part: &Part<'_>) -> bool {
        self.kind.is_none_or(|kind| kind == part.kind)
            && self.name.as_ref().is_none_or(|name| **name == *part.name)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            critical_checks: Effect::AS_IS,
            other_checks: Effect::at_most(Level::Degraded),
            policies: Effect::AS_IS,
            share: Grades::default(),
            overrides: Vec::new(),
        }
    }
}

impl Rules {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fields = ["health.share.warning", "health.share.degraded", "health.share.critical"];
        self.share.check(fields, f64::MIN_POSITIVE..=1.0)?;
        crate::check_range("health.overrides", self.overrides.len(), 0..=MOST_OVERRIDES)
    }

    /// What this part alone makes of the whole.
    pub fn effect(&self, part: &Part<'_>) -> Level {
        let special = self.overrides.iter().find(|special| special.fits(part));
        let effect = match special {
            Some(special) => special.effect,
            None if !part.is_check() => self.policies,
            None if part.critical => self.critical_checks,
            None => self.other_checks,
        };
        effect.of(part.level)
    }

    /// The level of the whole; healthy when there are no parts.
    pub fn overall<'a>(&self, parts: impl IntoIterator<Item = Part<'a>>) -> Level {
        let (mut worst, mut policies, mut bad) = (Level::Healthy, 0_u64, 0_u64);
        for part in parts {
            worst = worst.max(self.effect(&part));
            if !part.is_check() {
                policies += 1;
                bad += u64::from(part.level >= Level::Degraded);
            }
        }
        if bad == 0 {
            return worst;
        }
        worst.max(self.share.level(bad as f64 / policies as f64))
    }
}
